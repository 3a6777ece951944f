import { describe, expect, it } from "vitest";
import { walk, weekdays } from "../test/generated-prices.ts";
import { correlation, crossMarket, type MarketSeries } from "./cross-market.ts";

const market = (dates: readonly number[], seed: number): MarketSeries => ({
  dates,
  prices: walk(seed, dates.length),
  returns: walk(seed + 50, dates.length).map((value) => value / 100 - 1),
});

describe("two markets side by side", () => {
  const days = weekdays(19_000, 80);
  const us = market(
    days.filter((_, index) => index % 13 !== 5),
    1,
  );
  const kr = market(
    days.filter((_, index) => index % 11 !== 7),
    2,
  );

  it("have a row for each date on which either traded, in order", () => {
    const rows = crossMarket(us, kr, 0);
    expect(rows.map(({ date }) => date)).toEqual(days.filter((_, index) => index % 13 !== 5 || index % 11 !== 7));
    for (const row of rows) {
      expect(row.usPrice).toBe(us.prices[Array.from(us.dates).indexOf(row.date)] ?? null);
      expect(row.krReturn).toBe(kr.returns[Array.from(kr.dates).indexOf(row.date)] ?? null);
    }
  });

  it.each([0, 1] as const)("correlate the last 20 dates on which both traded, lag %i", (lag) => {
    const rows = crossMarket(us, kr, lag);
    const seen: { us: number; kr: number }[] = [];
    for (const { usReturn, krReturn, correlation: shown } of rows) {
      if (usReturn !== null && krReturn !== null) seen.push({ us: usReturn, kr: krReturn });
      const last = seen.slice(-20);
      if (last.length < 20) expect(shown).toBeNull();
      else {
        const expected = correlation(
          last.map((one) => one.us),
          last.map((one) => one.kr),
        );
        expect(shown).toBeCloseTo(expected!, 12);
      }
    }
    expect(seen.length).toBeGreaterThan(40);
  });

  it("pair a US date with the next Korean one at lag 1", () => {
    const one = (dates: number[]): MarketSeries => ({ dates, prices: dates, returns: dates.map(() => 0.01) });
    const rows = crossMarket(one([10, 11, 14]), one([10, 12, 13]), 1);
    expect(rows.map(({ date, usPrice, krPrice }) => [date, usPrice, krPrice])).toEqual([
      [10, 10, 12],
      [10, null, 10],
      [11, 11, 12],
      [13, null, 13],
      [14, 14, null],
    ]);
  });

  it("do not count a date without a return, and have no correlation where one side does not vary", () => {
    const still = { ...kr, returns: Array.from(kr.dates, () => 0) };
    expect(crossMarket(us, still, 0).every((row) => row.correlation === null)).toBe(true);
    const first = { ...us, returns: Array.from(us.dates, (_, index) => (index < 70 ? null : 0.1)) };
    expect(crossMarket(first, kr, 0).every((row) => row.correlation === null)).toBe(true);
  });
});

it("correlation is 1 of what moves together and −1 of what moves against", () => {
  expect(correlation([1, 2, 4], [2, 4, 8])).toBeCloseTo(1, 15);
  expect(correlation([1, 2, 4], [-2, -4, -8])).toBeCloseTo(-1, 15);
  expect(correlation([1, 1, 1], [1, 2, 3])).toBeNull();
});
