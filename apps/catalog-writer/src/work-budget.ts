/**
 * How much the tables of one process may write at the same time, in rows: small commits go side by side, large ones
 * one after the other, so that memory is bounded by the largest piece of work and not by how many meet.
 */
export class WorkBudget {
  readonly #rowsMax: number;
  #rows = 0;
  #waiting: { rows: number; start: () => void }[] = [];

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  /** Runs the work when there is room for its rows; work larger than the whole budget runs alone. In order of arrival. */
  async run<T>(rows: number, work: () => Promise<T>): Promise<T> {
    // Whole rows: sums of fractions would not come back to zero.
    const share = Math.min(Math.ceil(rows), this.#rowsMax);
    if (this.#waiting.length > 0 || this.#rows + share > this.#rowsMax)
      await new Promise<void>((start) => this.#waiting.push({ rows: share, start }));
    else this.#rows += share;
    try {
      return await work();
    } finally {
      this.#rows -= share;
      this.#startNext();
    }
  }

  #startNext(): void {
    for (let next = this.#waiting[0]; next && this.#rows + next.rows <= this.#rowsMax; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#rows += next.rows;
      next.start();
    }
  }
}
