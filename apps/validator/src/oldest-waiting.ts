/**
 * Since when the oldest record waits that a shard has not validated: what it has taken from INTAKE and not appended yet
 * says so itself. While it takes nothing (parked, starting), the time at which it was first seen to wait counts.
 */
export class OldestWaiting {
  /** When the first record of each run was stored that is not appended yet, in order. */
  readonly #taken: number[] = [];
  #seenMs: number | undefined;

  /** A run begins. @param storedMs when the broker stored its first record */
  taken(storedMs: number): void {
    this.#taken.push(storedMs);
  }

  /** The oldest run is appended. */
  appended(): void {
    this.#taken.shift();
    this.#seenMs = undefined;
  }

  /** A turn has ended: what it took is taken again. */
  forget(): void {
    this.#taken.length = 0;
  }

  /** @param messages how many wait */
  seconds(messages: number, nowMs: number): number {
    if (messages === 0) {
      this.#seenMs = undefined;
      return 0;
    }
    this.#seenMs = Math.min(this.#seenMs ?? nowMs, this.#taken[0] ?? nowMs);
    return Math.max(0, nowMs - this.#seenMs) / 1000;
  }
}
