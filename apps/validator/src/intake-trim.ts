import type { Log } from "@firn/stream";

export interface TrimLimits {
  /** How long validated input is kept. */
  readonly keepMs: number;
  /** Size of the stream from which it is not kept any longer. */
  readonly keepBytes: number;
}

const TRIM_INTERVAL_MS = 5_000;
/** Share of the stream's own limit from which validated input goes at once: a full stream refuses requests. */
const FULL_SHARE = 0.5;

/** Frees the space of input that is validated, less a window that is kept for replay. */
export class IntakeTrim {
  readonly #log: Log;
  readonly #subject: string;
  readonly #limits: TrimLimits;
  /** Ends of runs that are still kept, oldest first: last sequence and when the broker stored it. */
  #kept: { sequence: number; storedMs: number }[] = [];
  #lastMs = 0;

  constructor(log: Log, subject: string, limits: TrimLimits) {
    this.#log = log;
    this.#subject = subject;
    this.#limits = limits;
  }

  /** After a run is appended. @param nowMs wall clock, as the broker's own times */
  async validated(sequence: number, storedMs: number, nowMs: number): Promise<void> {
    this.#kept.push({ sequence, storedMs });
    if (nowMs - this.#lastMs < TRIM_INTERVAL_MS) return;
    this.#lastMs = nowMs;
    const { bytes, bytesMax } = await this.#log.bounds();
    const crowded = bytes > this.#limits.keepBytes || (bytesMax > 0 && bytes > bytesMax * FULL_SHARE);
    const isOld = (end: { storedMs: number }): boolean => crowded || end.storedMs < nowMs - this.#limits.keepMs;
    const firstKept = this.#kept.findIndex((end) => !isOld(end));
    const gone = this.#kept.splice(0, firstKept < 0 ? this.#kept.length : firstKept).at(-1);
    if (gone !== undefined) await this.#log.trim(this.#subject, gone.sequence);
  }
}
