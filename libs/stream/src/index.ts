export { askUnit } from "./ask-unit.ts";
export { connectStreams, isAtLeast } from "./connect-streams.ts";
export type { ConnectOptions } from "./connect-streams.ts";
export type {
  AttemptStore,
  HintListener,
  LogSpec,
  MemberBoard,
  MemberNotice,
  ReplyHandler,
  StreamConnection,
} from "./connection.ts";
export { appendFenced, RUN_HEADER } from "./fenced-append.ts";
export type { FencedAppend, FencedAppendOptions } from "./fenced-append.ts";
export { APPEND_BYTES_MAX, APPEND_RECORDS_MAX } from "./log.ts";
export type { AppendRecord, Log, LogBounds, LogRecord, ReadOptions } from "./log.ts";
export { MemoryLogs } from "./memory-logs.ts";
export { UnitShare } from "./unit-share.ts";
export type { UnitShareOptions, UnitWork } from "./unit-share.ts";
export { intakeLog, rollupLog, STATE_BUCKET, validatedLog } from "./pipeline-logs.ts";
export type { PipelineLogOptions } from "./pipeline-logs.ts";
export { backupStreams, restoreStreams } from "./stream-archive.ts";
export type { ArchivedStream } from "./stream-archive.ts";
export { isStreamError, StreamError } from "./stream-error.ts";
export type { StreamErrorKind } from "./stream-error.ts";
export { filterMatches } from "./subject.ts";
