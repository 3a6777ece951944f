import type { Log } from "./log.ts";

/** A stream as a service wants it. Opening makes it when it is missing, else checks it. */
export interface LogSpec {
  /** Upper case letters, digits, `_` and `-`. */
  stream: string;
  /** What the stream takes in, for example `intake.>`. Subjects that an older stream lacks are added to it. */
  subjects: readonly string[];
  /** The limit at which it refuses; absent: as it is, for a new stream no limit. A stream that has another is set to it. */
  bytesMax?: number;
  /** Copies of the stream in a cluster; 1 when absent. Only used when the stream is made. */
  replicas?: number;
  /** Kept for good: opening a stream that has another value for one of these keys is refused with `invalid`. */
  metadata?: Readonly<Record<string, string>>;
}

/** JSON values by key that outlive the process: counts of attempts. Last write wins. */
export interface AttemptStore {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
}

/** What a member of a group last said of itself. */
export interface MemberNotice {
  readonly member: string;
  readonly value: unknown;
  /** When the broker took it, by its own clock: milliseconds since the epoch, to be compared among notices only. */
  readonly timestampMs: number;
}

/** Where members of groups say that they are there. It may be forgotten at any time: nothing rests on it. */
export interface MemberBoard {
  /** In the place of the member's last notice. Names: letters, digits, `-` and `_`. */
  put(group: string, member: string, value: unknown): Promise<void>;
  /** The newest notice of every member of the group, those that have long been silent left out perhaps. */
  read(group: string): Promise<readonly MemberNotice[]>;
}

export type HintListener = (subject: string, data: Uint8Array) => void;

/** Answers one request; what it throws reaches the asker as StreamError `invalid` with the message. */
export type ReplyHandler = (data: Uint8Array, subject: string) => Promise<Uint8Array>;

/**
 * A connection to the broker. It reconnects for ever with a bounded back-off; while it is away, appends fail at once
 * with `unavailable` and reads wait. Opened streams and buckets that a broker has lost when it comes back are made
 * again, empty and with another identity.
 */
export interface StreamConnection {
  openLog(spec: LogSpec): Promise<Log>;

  /** Says something to whoever listens now. At most once, never stored, silently dropped when nobody is there. */
  publishHint(subject: string, data: Uint8Array): void;
  /** Listens to hints; the subject may hold wildcards. Returns what ends it. */
  subscribeHints(subject: string, listener: HintListener): () => void;

  /** Asks and waits for one answer. Nobody there: `unavailable`; no answer in time: `unknown_outcome`. */
  request(subject: string, data: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array>;
  /** Answers requests; of several with the same queue one gets each request. Returns what ends it. */
  reply(subject: string, options: { queue: string }, handler: ReplyHandler): () => void;

  /** A bucket of attempts, made when it is missing. Keys: letters, digits, `-`, `_`, `/`, `=` and `.`. */
  attempts(bucket: string): Promise<AttemptStore>;

  /** A bucket of members' notices, in the broker's memory, made when it is missing. */
  members(bucket: string): Promise<MemberBoard>;

  isConnected(): boolean;
  /** Called at each loss and return of the connection, not at once. Returns what ends it. */
  onConnectionChange(listener: (connected: boolean) => void): () => void;
  /** Resolves when the connection has ended for good: undefined after `close()`, else why. */
  readonly closed: Promise<Error | undefined>;
  /** Flushes what was published and closes; running reads end. */
  close(): Promise<void>;
}
