import { parseDate } from "@firn/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { series, someAssets, walk, weekdays } from "../test/generated-prices.ts";
import { runBacktest, type BacktestCurve, type BacktestRequest } from "./backtest.ts";
import { benchmarkNav } from "./benchmark-nav.ts";
import { alignPrices, type PriceSeries } from "./price-series.ts";
import { monthOf, type RebalanceFrequency } from "./trading-period.ts";

const day = (text: string): number => parseDate(text)!;

function curve(request: Partial<BacktestRequest> & Pick<BacktestRequest, "assets">): BacktestCurve {
  const result = runBacktest({ algorithm: "eq", startDate: -1e6, frequency: "monthly", costBps: 0, ...request });
  if (result.kind !== "curve") throw new Error(`no curve: ${result.kind}`);
  return result;
}

const close = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  for (const [index, value] of actual.entries())
    expect(Math.abs(value - expected[index]!)).toBeLessThanOrEqual(1e-9 * Math.abs(expected[index]!));
};

const requests = fc.record({
  assets: someAssets,
  algorithm: fc.constantFrom("eq" as const, "dual_mmt" as const),
  frequency: fc.constantFrom<RebalanceFrequency>("monthly", "quarterly", "yearly"),
  costBps: fc.integer({ min: 0, max: 200 }),
});

describe("a backtest", () => {
  it("of one asset is its price from 1000", () => {
    fc.assert(
      fc.property(someAssets, ([asset]) => {
        const { nav } = curve({ assets: [asset!] });
        close(
          nav,
          Array.from(asset!.prices, (price) => (1000 * price) / asset!.prices[0]!),
        );
      }),
      { numRuns: 50 },
    );
  });

  it("equals holding each asset by itself between rebalances", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { dates, nav, rebalances } = curve(request);
        const { prices } = pricesOn(request.assets, dates);
        close(nav, sleeves(dates, prices, rebalances, request.costBps));
      }),
      { numRuns: 200 },
    );
  });

  it("rebalances on the first common date of each period, and on no other", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { dates, rebalances } = curve(request);
        const length = { monthly: 1, quarterly: 3, yearly: 12 }[request.frequency];
        const periods = new Map<number, number>();
        for (const date of dates) {
          const period = Math.floor(monthOf(date) / length);
          periods.set(period, Math.min(date, periods.get(period) ?? Infinity));
        }
        expect(rebalances.map(({ date }) => date)).toEqual([...periods.values()]);
        expect(rebalances[0]!.date).toBe(dates[0]);
      }),
    );
  });

  it("does not hang on the unit of a price", () => {
    fc.assert(
      fc.property(requests, fc.double({ min: 0.01, max: 1000, noNaN: true }), (request, unit) => {
        const [first, ...others] = request.assets;
        const scaled = { ...first!, prices: Array.from(first!.prices, (price) => price * unit) };
        const other = curve({ ...request, assets: [scaled, ...others] });
        // A look-back of nothing but rounding may change sides.
        fc.pre(JSON.stringify(other.rebalances) === JSON.stringify(curve(request).rebalances));
        close(other.nav, curve(request).nav);
      }),
    );
  });

  it("begins with the curve of every shorter window", () => {
    fc.assert(
      fc.property(requests, fc.nat(), (request, pick) => {
        const whole = curve(request);
        const endDate = whole.dates[pick % whole.dates.length]!;
        const part = curve({ ...request, endDate });
        expect(part.nav).toEqual(whole.nav.slice(0, part.nav.length));
        expect(part.dates.at(-1)).toBe(endDate);
      }),
    );
  });

  it("has weights of all or nothing, and never costs less than nothing", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const paid = curve(request);
        const free = curve({ ...request, costBps: 0 });
        for (const { weights } of paid.rebalances) {
          const sum = weights.reduce((total, weight) => total + weight, 0);
          expect(Math.min(Math.abs(sum), Math.abs(sum - 1))).toBeLessThan(1e-12);
          expect(weights.filter((weight) => weight > 0).length).toBeLessThanOrEqual(
            request.algorithm === "eq" ? request.assets.length : 4,
          );
        }
        for (const [index, value] of paid.nav.entries())
          expect(value).toBeLessThanOrEqual(free.nav[index]! * (1 + 1e-12));
      }),
    );
  });

  it("pays for the first purchase: NAV[0] is 1000 less its cost", () => {
    const asset = series(weekdays(0, 3), [10, 11, 12]);
    close(curve({ assets: [asset], costBps: 25 }).nav, [997.5, 997.5 * 1.1, 997.5 * 1.2]);
  });

  it("pays for what the drifted weights are away from the target", () => {
    // Two assets, one doubles within January; the first of February has 2/3 and 1/3, so 1/6 + 1/6 are traded.
    const dates = [day("2024-01-02"), day("2024-01-31"), day("2024-02-01")];
    const assets = [series(dates, [1, 2, 2]), series(dates, [1, 1, 1])];
    const { nav } = curve({ assets, costBps: 100 });
    close(nav, [990, 990 * 1.5, 990 * 1.5 * (1 - (1 / 3) * 0.01)]);
  });
});

describe("dual momentum", () => {
  const months = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"].map((m) =>
    day(`2023-${m}-15`),
  );
  const dates = [day("2022-12-15"), ...months, day("2024-01-02"), day("2024-01-03")];
  const rising = dates.map((_, index) => 100 + index);
  const falling = dates.map((_, index) => 100 - index);
  /** Above exactly `count` of its twelve earlier month-ends. */
  const above = (count: number) => dates.map((_, index) => (index < 12 ? (index < count ? 50 : 150) : 100));

  it("holds the best four by their share of positive look-backs", () => {
    const assets = [above(6), rising, above(3), above(9), falling, above(4)].map((prices) => series(dates, prices));
    const { rebalances } = curve({ assets, algorithm: "dual_mmt", startDate: day("2024-01-01") });
    expect(rebalances).toHaveLength(1);
    expect(rebalances[0]!.scores).toEqual([6 / 12, 1, 3 / 12, 9 / 12, 0, 4 / 12]);
    const total = (6 + 12 + 9 + 4) / 12;
    close(rebalances[0]!.weights, [0.5 / total, 1 / total, 0, 0.75 / total, 0, 4 / 12 / total]);
  });

  it("takes equal scores in the order of the request", () => {
    const assets = [1, 2, 3, 4, 5, 6].map((first) =>
      series(
        dates,
        rising.map((price) => price * first),
      ),
    );
    const { rebalances } = curve({ assets, algorithm: "dual_mmt", startDate: day("2024-01-01") });
    expect(rebalances[0]!.weights).toEqual([0.25, 0.25, 0.25, 0.25, 0, 0]);
  });

  it("is in cash when no look-back is positive, and where thirteen month-ends are missing", () => {
    const down = curve({ assets: [series(dates, falling)], algorithm: "dual_mmt", startDate: day("2024-01-01") });
    expect(down.rebalances[0]).toMatchObject({ weights: [0], scores: [0] });
    expect(down.nav).toEqual([1000, 1000]);
    const short = series(dates.slice(1), rising.slice(1));
    const early = curve({ assets: [short], algorithm: "dual_mmt", startDate: day("2024-01-01"), costBps: 50 });
    expect(early.rebalances[0]).toMatchObject({ weights: [0], scores: [null] });
    expect(early.nav).toEqual([1000, 1000]);
  });

  it("skips a month without a common date, and does not look at the month of the rebalance", () => {
    const gap = dates.filter((date) => date !== day("2023-06-15"));
    const history = [day("2022-11-15"), ...gap];
    const prices = history.map((_, index) => 100 + index);
    const { rebalances } = curve({
      assets: [series(history, prices)],
      algorithm: "dual_mmt",
      startDate: day("2024-01-03"),
    });
    expect(rebalances[0]!.scores).toEqual([1]);
    const crash = prices.map((price, index) => (index >= history.length - 2 ? 1 : price));
    const crashed = curve({
      assets: [series(history, crash)],
      algorithm: "dual_mmt",
      startDate: day("2024-01-03"),
    });
    expect(crashed.rebalances[0]!.scores).toEqual([1]);
  });

  it("has the month-ends of the dates that all assets share", () => {
    const { rebalances } = curve({
      assets: [series(dates, rising), series(dates.slice(-3), rising.slice(-3))],
      algorithm: "dual_mmt",
    });
    expect(rebalances.every(({ weights }) => weights.every((weight) => weight === 0))).toBe(true);
  });
});

describe("what a curve says of its window", () => {
  const dates = weekdays(day("2024-01-01"), 100);
  const whole = series(dates, walk(1, 100));
  const stopping = series(dates.slice(0, 60), walk(2, 60));
  const starting = series(dates.slice(40), walk(3, 60));

  it("ends at the last common date when a series stops, and names it", () => {
    const result = curve({ assets: [whole, stopping], startDate: dates[0]! });
    expect(result.dates.at(-1)).toBe(dates[59]);
    expect(result.endedEarly).toEqual({ date: dates[59], stopped: [1] });
    expect(result.startedLate).toBeUndefined();
  });
  it("starts at the first common date when a series starts late, and names it", () => {
    const result = curve({ assets: [whole, starting], startDate: dates[0]! });
    expect(result.dates[0]).toBe(dates[40]);
    expect(result.startedLate).toEqual({ date: dates[40], missing: [1] });
    expect(result.endedEarly).toBeUndefined();
  });
  it("says nothing of a window that begins and ends on days without trading", () => {
    const result = curve({ assets: [whole], startDate: dates[0]! - 2, endDate: dates[99]! + 3 });
    expect(result.endedEarly).toBeUndefined();
    expect(result.startedLate).toBeUndefined();
  });
  it("says so when the window goes on long after every price", () => {
    const result = curve({ assets: [whole], startDate: dates[0]!, endDate: dates[99]! + 365 });
    expect(result.endedEarly).toEqual({ date: dates[99], stopped: [0] });
  });
  it("has no curve without common dates, assets, or positive prices", () => {
    const request = { algorithm: "eq", startDate: 0, frequency: "monthly", costBps: 0 } as const;
    expect(runBacktest({ ...request, assets: [] })).toEqual({ kind: "no_assets" });
    const apart = [series(dates.slice(0, 40), walk(1, 40)), series(dates.slice(50), walk(1, 50))];
    expect(runBacktest({ ...request, assets: apart })).toEqual({ kind: "no_common_dates" });
    expect(runBacktest({ ...request, assets: [whole], startDate: dates[99]! + 1 })).toEqual({
      kind: "no_common_dates",
    });
    for (const price of [0, -1, NaN]) {
      const bad = series(dates, [...walk(1, 99), price]);
      const expected = { kind: "unusable_price", series: 1, date: dates[99], price };
      expect(runBacktest({ ...request, assets: [whole, bad] })).toEqual(expected);
    }
  });
});

describe("a benchmark", () => {
  it("starts at 1000, keeps its last price where it did not trade, and has none before its first", () => {
    expect(benchmarkNav(series([2, 3, 5], [10, 11, 12]), [1, 2, 3, 4, 5])).toEqual([null, 1000, 1100, 1100, 1200]);
    expect(benchmarkNav(series([1, 2], [10, 20]), [2, 3])).toEqual([1000, 1000]);
  });
});

function pricesOn(assets: readonly PriceSeries[], dates: readonly number[]) {
  const { dates: all, prices } = alignPrices(assets);
  return { prices: prices.map((own) => dates.map((date) => own[all.indexOf(date)]!)) };
}

/** The curve by sleeves of money instead of units: each asset's sleeve grows by its own daily return. */
function sleeves(
  dates: readonly number[],
  prices: readonly (readonly number[])[],
  rebalances: BacktestCurve["rebalances"],
  costBps: number,
): number[] {
  const targets = new Map(rebalances.map(({ date, weights }) => [date, weights]));
  let money = prices.map(() => 0);
  let cash = 1000;
  return dates.map((date, index) => {
    if (index > 0) money = money.map((value, asset) => value * (prices[asset]![index]! / prices[asset]![index - 1]!));
    let total = money.reduce((sum, value) => sum + value, cash);
    const target = targets.get(date);
    if (target === undefined) return total;
    const moved = target.reduce((sum, weight, asset) => sum + Math.abs(weight * total - money[asset]!), 0);
    total -= (moved * costBps) / 10_000;
    money = target.map((weight) => weight * total);
    cash = total - money.reduce((sum, value) => sum + value, 0);
    return total;
  });
}
