import { expect, it } from "vitest";
import { RequestRate } from "./request-rate.ts";

it("takes a burst of two seconds, then the rate, and says how long to wait", () => {
  const rate = new RequestRate(10);
  const taken = (nowMs: number, times: number) =>
    Array.from({ length: times }, () => rate.waitMs("a", nowMs)).filter((waitMs) => waitMs === 0).length;
  expect(taken(1_000, 30)).toBe(20);
  expect(rate.waitMs("a", 1_000)).toBe(100);
  expect(taken(1_250, 30)).toBe(2);
  expect(rate.waitMs("a", 1_250)).toBe(50);
  expect(taken(3_600_000, 30)).toBe(20);
});

it("counts each caller alone, and a clock that goes back takes nothing away", () => {
  const rate = new RequestRate(1);
  expect([rate.waitMs("a", 5_000), rate.waitMs("a", 5_000), rate.waitMs("a", 5_000)]).toEqual([0, 0, 1_000]);
  expect(rate.waitMs("b", 5_000)).toBe(0);
  expect(rate.waitMs("a", 1_000)).toBe(1_000);
  expect(rate.waitMs("a", 2_000)).toBe(0);
});
