import { expect, test } from "vitest";
import { runTogether } from "./run-together.ts";
import type { Stage } from "./service.ts";

/** Runs until the signal, and then drains for a moment. */
function calmStage(ends: string[], name: string): Stage {
  return {
    async run(signal) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await new Promise((resolve) => setTimeout(resolve, 5));
      ends.push(name);
    },
  };
}

test("a failure ends the others, and is thrown when they have drained", async () => {
  const ends: string[] = [];
  const broken: Stage = { run: () => Promise.reject(new Error("the first")) };
  const stages = [calmStage(ends, "a"), broken, calmStage(ends, "b")];
  await expect(runTogether(stages, new AbortController().signal)).rejects.toThrow("the first");
  expect(ends).toEqual(["a", "b"]);
});

test("the signal ends all without a failure", async () => {
  const ends: string[] = [];
  const ending = new AbortController();
  const running = runTogether([calmStage(ends, "a"), calmStage(ends, "b")], ending.signal);
  ending.abort();
  await running;
  expect(ends).toEqual(["a", "b"]);
});
