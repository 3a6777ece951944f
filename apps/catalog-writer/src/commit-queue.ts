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
    const turn = () => this.withRows(rows, work);
    const result = this.#last.then(turn, turn);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Within a turn that only now knows how many rows it writes. */
  withRows<T>(rows: number, work: () => Promise<T>): Promise<T> {
    return this.#budget === undefined || rows === 0 ? work() : this.#budget.run(rows, work);
  }
}
