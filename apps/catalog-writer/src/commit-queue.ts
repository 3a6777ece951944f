import type { WorkBudget } from "./work-budget.ts";

/** One after the other: every change of a table's state by this process goes through its queue, in order of arrival. */
export class CommitQueue {
  readonly #budget: WorkBudget | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @param budget what all queues of the process together may write at a time */
  constructor(budget?: WorkBudget) {
    this.#budget = budget;
  }

  /** How many wait or run. */
  get length(): number {
    return this.#waiting;
  }

  /** @param rows rows that the work writes, about; 0 for work that needs little memory */
  async run<T>(work: () => Promise<T>, rows = 0): Promise<T> {
    this.#waiting++;
    const budget = this.#budget;
    const turn = budget === undefined || rows === 0 ? work : () => budget.run(rows, work);
    const result = this.#last.then(turn, turn);
    this.#last = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      this.#waiting--;
    }
  }
}
