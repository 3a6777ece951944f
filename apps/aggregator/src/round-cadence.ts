/**
 * When a lane's next round starts. Days follow raw at once, but in a backfill; weeks and months, which are of many days,
 * follow days that stand still. Times are those of a clock that only goes forward, in milliseconds.
 */
import { backlogBytesMin } from "./backlog.ts";

/** How often a lane looks for changes that no hint told of, and for the way of its last round into the tables. */
export const pollMs = 1_000;
const intervalMinMs = 100;
/**
 * While days change all the time, weeks and months follow every few seconds, and as soon as the days have stood still
 * for a moment: for longer than they do between changes under a steady load.
 */
const periodsIntervalDefaultMs = 5_000;
const daysRestMs = { least: 600, ofSpacing: 2 };
/**
 * While a backlog drains, changes wait for its end, so that a window is written once in a backfill: this long at most,
 * or so many times as long as the last round took, within limits.
 */
const backlogWaitMs = { least: 60_000, most: 600_000, ofLastRound: 10 };

export interface RoundCadenceOptions {
  /** Whether the lane is made from published days: one of weeks and months. */
  readonly followsDays: boolean;
  /** Longest pause between rounds of such a lane while days change, in milliseconds. */
  readonly periodsIntervalMs?: number | undefined;
}

export class RoundCadence {
  readonly #followsDays: boolean;
  readonly #periodsIntervalMs: number;
  /** The newest snapshot of raw, or of the days, and since when it is seen to be that. */
  #source: { readonly snapshotId: bigint | undefined; readonly sinceMs: number } | undefined;
  /** Between its last snapshots; one that came soon after another does not make it much shorter. */
  #spacingMs = Infinity;
  /** Since when raw is seen to have changes that the rollups have not. */
  #changedMs: number | undefined;
  #startedMs = 0;
  #lastRoundMs = 0;
  #lastRoundEndMs = -Infinity;

  constructor({ followsDays, periodsIntervalMs = periodsIntervalDefaultMs }: RoundCadenceOptions) {
    this.#followsDays = followsDays;
    this.#periodsIntervalMs = periodsIntervalMs;
  }

  /** At each look: which snapshot is the newest of what the lane is made from. */
  sourceSeen(snapshotId: bigint | undefined, nowMs: number): void {
    if (this.#source?.snapshotId === snapshotId) return;
    const spacingMs = nowMs - (this.#source?.sinceMs ?? -Infinity);
    const earlierMs = this.#spacingMs > this.#periodsIntervalMs ? 0 : this.#spacingMs;
    this.#spacingMs = Math.max(spacingMs, 0.8 * earlierMs);
    this.#source = { snapshotId, sinceMs: nowMs };
  }

  /**
   * How long changes that are seen now wait for their round: not at all at rest, to its end while a backlog drains.
   * @param backlogBytes asks for what waits for the writer; only where that decides
   */
  async restMs(nowMs: number, backlogBytes: () => Promise<number>): Promise<number> {
    this.#changedMs ??= nowMs;
    if (this.#followsDays) {
      // The lane of days has waited already.
      const untilDaysRestMs = (this.#source?.sinceMs ?? -Infinity) + this.#daysRestMs() - nowMs;
      return Math.max(0, Math.min(untilDaysRestMs, this.#lastRoundEndMs + this.#periodsIntervalMs - nowMs));
    }
    const pauseMs = this.#lastRoundEndMs + intervalMinMs - nowMs;
    if (pauseMs > 0 || (await backlogBytes()) < backlogBytesMin) return Math.max(0, pauseMs);
    const { least, most, ofLastRound } = backlogWaitMs;
    const waitMs = Math.min(most, Math.max(least, ofLastRound * this.#lastRoundMs));
    return Math.max(0, Math.min(pollMs, this.#changedMs + waitMs - nowMs));
  }

  /** How long days have to stand still to be at rest. */
  #daysRestMs(): number {
    const { least, ofSpacing } = daysRestMs;
    return this.#spacingMs > this.#periodsIntervalMs ? least : Math.max(least, ofSpacing * this.#spacingMs);
  }

  roundStarted(nowMs: number): void {
    this.#startedMs = nowMs;
    this.#changedMs = undefined;
  }

  /** A round was published, or found nothing to publish. Returns how long it took; one that failed does not count. */
  roundEnded(nowMs: number): number {
    this.#lastRoundMs = nowMs - this.#startedMs;
    this.#lastRoundEndMs = nowMs;
    return this.#lastRoundMs;
  }

  /** How long ago the last round ended. */
  sinceRoundMs(nowMs: number): number {
    return nowMs - this.#lastRoundEndMs;
  }
}
