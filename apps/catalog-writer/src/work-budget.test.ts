import { describe, expect, it } from "vitest";
import { WorkBudget } from "./work-budget.ts";

describe("WorkBudget", () => {
  it("runs small work side by side and large work alone, in order of arrival", async () => {
    const budget = new WorkBudget(100);
    const events: string[] = [];
    const finish = new Map<string, () => void>();
    const work = (name: string, rows: number) =>
      budget.run(rows, async () => {
        events.push(`start ${name}`);
        await new Promise<void>((resolve) => finish.set(name, resolve));
        events.push(`end ${name}`);
      });
    const all = [work("a", 40), work("b", 40), work("large", 500), work("c", 10)];
    const tick = () => new Promise((resolve) => setImmediate(resolve));
    await tick();
    expect(events).toEqual(["start a", "start b"]);
    finish.get("a")?.();
    await tick();
    expect(events.at(-1)).toBe("end a");
    finish.get("b")?.();
    await tick();
    expect(events.at(-1)).toBe("start large");
    finish.get("large")?.();
    await tick();
    expect(events.at(-1)).toBe("start c");
    finish.get("c")?.();
    await Promise.all(all);
  });

  it("has all of its room again after work of any size", async () => {
    const budget = new WorkBudget(100);
    for (const rows of [0.1, 0.7, 1 / 3, 33.3]) await budget.run(rows, () => Promise.resolve());
    await Promise.all([0.1, 0.2, 0.3].map((rows) => budget.run(rows, () => Promise.resolve())));
    expect(await budget.run(500, () => Promise.resolve("alone"))).toBe("alone");
  });

  it("gives the room back when work fails", async () => {
    const budget = new WorkBudget(1);
    await expect(budget.run(1, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(await budget.run(1, () => Promise.resolve(7))).toBe(7);
  });
});
