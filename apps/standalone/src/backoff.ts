const FIRST_MS = 200;
const LARGEST_MS = 10_000;
/** A process that stayed up so long has recovered: the next end counts as the first again. */
const RECOVERED_MS = 30_000;

/** How long to wait before a process is started again: doubled at each early end, bounded. */
export class Backoff {
  #ends = 0;

  /** @param upMs how long the process had been up when it ended */
  next(upMs: number): number {
    if (upMs >= RECOVERED_MS) this.#ends = 0;
    const delayMs = Math.min(LARGEST_MS, FIRST_MS * 2 ** this.#ends);
    this.#ends += 1;
    return delayMs;
  }
}
