/**
 * The log port: an ordered, durable stream of records under subjects.
 *
 * Promise
 * - Order: sequences are given by the stream, grow by one for each stored record, and are never given twice.
 *   A read yields the records of its subjects by rising sequence.
 * - Duplicates and gaps: a read yields every record that was stored and not trimmed exactly once after its
 *   position, also across disconnects, broker restarts and a lost consumer. There are no acknowledgements:
 *   who reads keeps the position in its own durable effect and starts there again.
 * - Atomicity: an append stores all of its records with consecutive sequences, or none.
 * - Durability: when an append resolves, its records are as durable as the broker is told to make them
 *   (`sync_interval: always`: on disk).
 * - Concurrency: any number of writers and readers. A writer that must be alone on a subject fences itself with
 *   `expectedLastSequence`: of two that expect the same, one is refused with `wrong_expectation`.
 * - Space: a full stream refuses (`full`) and forgets nothing; only `trim` frees space.
 *
 * A subject is dot-separated tokens of letters, digits, `_`, `-` and others but blanks, `*` and `>`. Subject filters of
 * `read` and `pending` may hold the NATS wildcards `*` (one token) and a last `>` (one token or more).
 */

export const APPEND_RECORDS_MAX = 1000;
/** Bytes of data and headers that one append may carry in all. */
export const APPEND_BYTES_MAX = 64 * 1024 * 1024;

export interface AppendRecord {
  subject: string;
  data: Uint8Array;
  /**
   * Names of visible ASCII characters but the colon, case-sensitive; values of one line without blanks at its ends.
   * Names that start with `Nats-` belong to the broker and are refused.
   */
  headers?: Readonly<Record<string, string>>;
  /**
   * The append is refused unless the last record of this subject, as it was before the append, has this sequence;
   * 0: the subject has no record yet. It may stand on any of the append's records of that subject.
   */
  expectedLastSequence?: number;
}

export interface LogRecord {
  subject: string;
  sequence: number;
  data: Uint8Array;
  headers: Readonly<Record<string, string>>;
  /** When the broker stored it, milliseconds since the epoch. */
  timestampMs: number;
}

export interface ReadOptions {
  /** One subject or filter, or several that do not overlap. */
  subjects: readonly string[];
  /** The last sequence that the reader already has; 0 for all. */
  afterSequence: number;
  /** Identity of the stream that `afterSequence` belongs to; absent: the stream that was opened. */
  identity?: string;
  /** Ends the iteration promptly and without an error; records not yet taken are dropped. */
  signal: AbortSignal;
  /** About how many bytes may wait for the reader; one record larger than that still gets through. */
  prefetchBytesMax?: number;
}

export interface LogBounds {
  /** The first sequence still there (0 when there never was a record; last + 1 when all were removed). */
  firstSequence: number;
  lastSequence: number;
  bytes: number;
  /** -1 when the stream has no limit. */
  bytesMax: number;
}

export interface Log {
  readonly stream: string;
  /** What the stream was made with, and what later opens added; for example `firn.shards`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes that one record may have: data, header names and values, and some 300 that the broker adds. */
  readonly recordBytesMax: number;

  /** Names this very stream (its creation time): changes when the stream is deleted and made anew. */
  identity(): Promise<string>;

  /**
   * Stores 1 to 1,000 records, all or none. Throws every kind of StreamError; only `unknown_outcome` leaves open
   * whether the records are stored (see fenced-append.ts for finding out).
   */
  append(records: readonly AppendRecord[]): Promise<{ lastSequence: number }>;

  /**
   * Yields records until the signal aborts, waiting for new ones at the end. Disconnects are waited out for as
   * long as it takes. Throws `gone` when the stream was deleted or made anew or ends before `afterSequence`, and
   * `invalid` for filters that the stream cannot have.
   */
  read(options: ReadOptions): AsyncIterable<LogRecord>;

  /** The subject's last record. On a replicated stream it may trail an append by the replication lag. */
  last(subject: string): Promise<LogRecord | undefined>;

  bounds(): Promise<LogBounds>;

  /** How many records of these subjects lie after the sequence. */
  pending(subjects: readonly string[], afterSequence: number): Promise<number>;

  /** Removes the records of one subject up to and including the sequence, but never the subject's last one. */
  trim(subject: string, throughSequence: number): Promise<void>;
}
