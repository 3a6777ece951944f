/** Runs work one at a time per key, in the order of arrival; work on different keys runs side by side. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Holds all keys while `work` runs. Keys are taken in sorted order, so that two callers never wait for each other. */
  async run<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const sorted = [...new Set(keys)].sort();
    return this.#take(sorted, work);
  }

  async #take<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const [first, ...rest] = keys;
    if (first === undefined) return work();
    const before = this.#tails.get(first) ?? Promise.resolve();
    const own = before.then(() => this.#take(rest, work));
    // Whoever comes next waits for the end of this one, however it ends.
    const tail = own.catch(() => undefined);
    this.#tails.set(first, tail);
    try {
      return await own;
    } finally {
      if (this.#tails.get(first) === tail) this.#tails.delete(first);
    }
  }
}
