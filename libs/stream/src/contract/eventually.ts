import { vi } from "vitest";

const LIMIT_MS = 20_000;

/** Waits until the condition is true; fails the test at the limit. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const look = async () => {
    if (!(await condition())) throw new Error("the condition did not come true");
  };
  await vi.waitFor(look, { timeout: LIMIT_MS, interval: 5 });
}
