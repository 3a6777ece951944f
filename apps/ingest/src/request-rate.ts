/** Seconds' worth of requests that may come at once after a pause. */
const BURST_SECONDS = 2;
const MS_PER_SECOND = 1_000;

/**
 * How often each caller may ask: a bucket of requests that fills again at a steady rate. Callers are the names of tokens,
 * so that there are no more buckets than the token file has names.
 */
export class RequestRate {
  readonly #perSecond: number;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Takes one request of the caller's; gives 0, or the milliseconds after which the next one is taken. */
  waitMs(caller: string, nowMs: number): number {
    const burst = this.#perSecond * BURST_SECONDS;
    const { tokens, atMs } = this.#buckets.get(caller) ?? { tokens: burst, atMs: nowMs };
    const filled = Math.min(burst, tokens + (Math.max(0, nowMs - atMs) / MS_PER_SECOND) * this.#perSecond);
    const left = filled >= 1 ? filled - 1 : filled;
    this.#buckets.set(caller, { tokens: left, atMs: nowMs });
    return filled >= 1 ? 0 : Math.ceil(((1 - filled) / this.#perSecond) * MS_PER_SECOND);
  }
}
