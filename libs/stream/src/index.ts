export { connectStreams, isAtLeast, NATS_SERVER_VERSION_MIN } from "./connect-streams.ts";
export type { ConnectOptions } from "./connect-streams.ts";
export type { AttemptStore, HintListener, LogSpec, ReplyHandler, StreamConnection } from "./connection.ts";
export { APPEND_BYTES_MAX, APPEND_RECORDS_MAX } from "./log.ts";
export type { AppendRecord, Log, LogBounds, LogRecord, ReadOptions } from "./log.ts";
export { MemoryLogs } from "./memory-logs.ts";
export { isStreamError, StreamError } from "./stream-error.ts";
export type { StreamErrorKind } from "./stream-error.ts";
export { filterMatches } from "./subject.ts";
