import { expect, test } from "vitest";
import { silentLogger } from "./logger.ts";
import { repeatTurns } from "./repeat-turns.ts";

class Passing extends Error {}

const options = { getsOver: (error: unknown) => error instanceof Passing, logger: silentLogger(), fields: {} };

test("failures that pass end a turn, the signal ends all", async () => {
  const ending = new AbortController();
  const turns: number[] = [];
  const turn = async (): Promise<void> => {
    turns.push(turns.length);
    if (turns.length === 2) throw new Passing();
    if (turns.length === 4) ending.abort();
  };
  await repeatTurns(ending.signal, { ...options, turn });
  expect(turns).toEqual([0, 1, 2, 3]);
});

test("a failure that does not pass is thrown", async () => {
  const turn = () => Promise.reject(new Error("a broken promise"));
  await expect(repeatTurns(new AbortController().signal, { ...options, turn })).rejects.toThrow("a broken promise");
});

test("the signal ends a wait at once", async () => {
  const ending = new AbortController();
  let turns = 0;
  const turn = (): Promise<void> => {
    if (++turns === 3) setTimeout(() => ending.abort());
    return Promise.reject(new Passing());
  };
  const startedMs = performance.now();
  await repeatTurns(ending.signal, { ...options, turn });
  expect(turns).toBe(3);
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});
