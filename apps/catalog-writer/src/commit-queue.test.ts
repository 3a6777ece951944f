import { expect, it } from "vitest";
import { CommitQueue } from "./commit-queue.ts";
import { WorkBudget } from "./work-budget.ts";

it("lets a turn look what there is to do while another table's rows take the whole budget, and waits before it writes", async () => {
  const budget = new WorkBudget(100);
  const order: string[] = [];
  let end = (): void => undefined;
  const commit = new CommitQueue(budget).run(async () => {
    await new Promise<void>((resolve) => (end = resolve));
    order.push("commit");
  }, 100);
  const queue = new CommitQueue(budget);
  await queue.run(() => Promise.resolve(order.push("look")));
  const merge = queue.run(() => queue.withRows(10, () => Promise.resolve(order.push("merge"))));
  end();
  await Promise.all([commit, merge]);
  expect(order).toEqual(["look", "commit", "merge"]);
});
