/**
 * When a batch is committed. A commit's cost grows with the partitions that it touches, so the interval follows the
 * cost of the last one: a light load commits several times a second, a backfill over many partitions every few seconds.
 */
export interface CadenceLimits {
  readonly bytesMax: number;
  readonly intervalMinMs: number;
  readonly intervalMaxMs: number;
  /** Part of the time that may go into commits, as a divisor: 4 means a commit every four commit durations. */
  readonly costFactor: number;
  /** With no message for this long, what waits is committed at once. */
  readonly quietMs: number;
}

export const defaultCadence: CadenceLimits = {
  bytesMax: 56 * 1024 * 1024,
  intervalMinMs: 400,
  intervalMaxMs: 15_000,
  costFactor: 3,
  quietMs: 250,
};

export interface CadenceState {
  readonly bytes: number;
  /** Milliseconds since the batch's first message arrived, and since its last one. */
  readonly ageMs: number;
  readonly quietMs: number;
  readonly lastCommitMs: number;
}

export function intervalMs(limits: CadenceLimits, lastCommitMs: number): number {
  return Math.min(limits.intervalMaxMs, Math.max(limits.intervalMinMs, limits.costFactor * lastCommitMs));
}

/** Whether the batch is due; a batch that is not can wait `waitMs` before it is asked again. */
export function commitDue(limits: CadenceLimits, state: CadenceState): { due: boolean; waitMs: number } {
  if (state.bytes >= limits.bytesMax) return { due: true, waitMs: 0 };
  const interval = intervalMs(limits, state.lastCommitMs);
  if (state.ageMs >= interval) return { due: true, waitMs: 0 };
  if (state.ageMs >= limits.intervalMinMs && state.quietMs >= limits.quietMs) return { due: true, waitMs: 0 };
  const untilInterval = interval - state.ageMs;
  const untilQuiet = Math.max(limits.quietMs - state.quietMs, limits.intervalMinMs - state.ageMs);
  return { due: false, waitMs: Math.max(5, Math.min(untilInterval, untilQuiet)) };
}
