/** One after the other: every change of a table's state by this process goes through its queue, in order of arrival. */
export class CommitQueue {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** How many wait or run. */
  get length(): number {
    return this.#waiting;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      this.#waiting--;
    }
  }
}
