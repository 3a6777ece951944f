import type { WorkBudget } from "./work-budget.ts";

/** One after the other: every change of a table's state by this process goes through its queue, in order of arrival. */
export class CommitQueue {
  readonly #budget: WorkBudget | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param budget what all queues of the process together may write at a time */
  constructor(budget?: WorkBudget) {
    this.#budget = budget;
  }

  /** @param rows rows that the work writes, about; 0 for work that needs little memory */
  async run<T>(work: () => Promise<T>, rows = 0): Promise<T> {
    const budget = this.#budget;
    const turn = budget === undefined || rows === 0 ? work : () => budget.run(rows, work);
    const result = this.#last.then(turn, turn);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
