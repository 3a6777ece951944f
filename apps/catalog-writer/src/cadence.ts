/**
 * When a batch is committed. A commit's cost grows with the partitions that it touches, so the interval follows the
 * cost of the last one: a light load commits several times a second, a backfill over many partitions every few seconds.
 */
export interface CadenceLimits {
  readonly bytesMax: number;
  readonly rowsMax: number;
  readonly intervalMinMs: number;
  readonly intervalMaxMs: number;
  /**
   * Part of the time that may go into commits, as a divisor: 2 means a commit every two commit durations. In a backfill a
   * commit that takes long is one of many files, which costs little more with more rows: there the divisor grows by one
   * a second of it.
   */
  readonly costFactor: number;
  /** Messages that come faster than this many bytes a second are a backfill, whose rows can wait for better files. */
  readonly bulkBytesPerSecond: number;
  /** How long they wait at least, while more keep coming, and which silence ends them. */
  readonly bulkIntervalMs: number;
  readonly bulkQuietMs: number;
  /**
   * With no message for this long, or for half of what a commit takes but never longer than `quietMaxMs`, what waits is
   * committed at once.
   */
  readonly quietMs: number;
  readonly quietMaxMs: number;
}

export const defaultCadence: CadenceLimits = {
  bytesMax: 320 * 1024 * 1024,
  rowsMax: 2_000_000,
  intervalMinMs: 400,
  intervalMaxMs: 15_000,
  costFactor: 1.5,
  bulkBytesPerSecond: 2 * 1024 * 1024,
  bulkIntervalMs: 40_000,
  bulkQuietMs: 1_500,
  quietMs: 250,
  quietMaxMs: 1_000,
};

export interface CadenceState {
  readonly bytes: number;
  /** Rows that are loaded already. */
  readonly rows: number;
  /** Milliseconds since the batch's first message arrived, and since its last one. */
  readonly ageMs: number;
  readonly quietMs: number;
  /** How long the last commit took, and of how many bytes. */
  readonly lastCommitMs: number;
  readonly lastBytes: number;
}

/**
 * A commit's files cost something however few rows they hold: all that a light commit costs, and at least this part of
 * what a heavy one did.
 */
const lightCommitMs = 500;
const fixedShare = 0.1;

/** What a commit of these bytes is likely to take, by the last one. */
export function expectedCommitMs(state: Pick<CadenceState, "bytes" | "lastBytes" | "lastCommitMs">): number {
  const { bytes, lastBytes, lastCommitMs } = state;
  const share = lastBytes === 0 ? 1 : Math.min(1, Math.max(fixedShare, bytes / lastBytes));
  return Math.max(Math.min(lastCommitMs, lightCommitMs), lastCommitMs * share);
}

export function intervalMs(limits: CadenceLimits, commitMs: number): number {
  return Math.min(
    limits.intervalMaxMs,
    Math.max(limits.intervalMinMs, (limits.costFactor + commitMs / 1000) * commitMs),
  );
}

/** Whether a batch may take in no more. */
export function isFull(limits: CadenceLimits, batch: Pick<CadenceState, "bytes" | "rows">): boolean {
  return batch.bytes >= limits.bytesMax || batch.rows >= limits.rowsMax;
}

/** Whether the batch is due; a batch that is not can wait `waitMs` before it is asked again. */
export function commitDue(limits: CadenceLimits, state: CadenceState): { due: boolean; waitMs: number } {
  if (isFull(limits, state)) return { due: true, waitMs: 0 };
  const isBulk = state.bytes * 1000 > limits.bulkBytesPerSecond * Math.max(state.ageMs, limits.intervalMinMs);
  const expectedMs = expectedCommitMs(state);
  const interval = isBulk
    ? Math.max(intervalMs(limits, expectedMs * (1 + expectedMs / 2000)), limits.bulkIntervalMs)
    : intervalMs(limits, expectedMs);
  if (state.ageMs >= interval) return { due: true, waitMs: 0 };
  const quietMs = isBulk ? limits.bulkQuietMs : Math.max(limits.quietMs, Math.min(expectedMs / 2, limits.quietMaxMs));
  if (state.ageMs >= limits.intervalMinMs && state.quietMs >= quietMs) return { due: true, waitMs: 0 };
  const untilInterval = interval - state.ageMs;
  const untilQuiet = Math.max(quietMs - state.quietMs, limits.intervalMinMs - state.ageMs);
  return { due: false, waitMs: Math.max(5, Math.min(untilInterval, untilQuiet)) };
}
