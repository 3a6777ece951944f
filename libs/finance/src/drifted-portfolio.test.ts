import { parseDate } from "@firn/core";
import { describe, expect, it } from "vitest";
import { series, walk, weekdays } from "../test/generated-prices.ts";
import { runBacktest } from "./backtest.ts";
import { driftedPortfolio, type StoredRebalance } from "./drifted-portfolio.ts";

const dates = weekdays(parseDate("2023-01-02")!, 400);
const assets = [1, 2, 3].map((seed) => series(dates, walk(seed, dates.length)));

function stored(costBps: number, algorithm: "eq" | "dual_mmt" = "eq") {
  const result = runBacktest({ assets, algorithm, startDate: 0, frequency: "monthly", costBps });
  if (result.kind !== "curve") throw new Error(result.kind);
  const rebalances: StoredRebalance[] = result.rebalances.map(({ date, weights }) => ({
    date,
    weights: new Map(weights.map((weight, index) => [index + 1, weight])),
  }));
  const prices = new Map(assets.map((asset, index) => [index + 1, asset]));
  return { nav: { dates: result.dates, prices: result.nav }, rebalances, prices };
}

function days(portfolio: ReturnType<typeof stored>, startDate: number) {
  const result = driftedPortfolio(portfolio, startDate);
  if (result.kind !== "days") throw new Error(result.kind);
  return result.days;
}

describe("a portfolio's performance", () => {
  it.each(["eq", "dual_mmt"] as const)("is the stored NAV of %s where trading cost nothing", (algorithm) => {
    const portfolio = stored(0, algorithm);
    // From the middle of a month: the weights have drifted since its first day.
    for (const from of [dates[0]!, dates[130]!, dates[399]!]) {
      const rows = days(portfolio, from);
      expect(rows[0]).toMatchObject({ date: from, dailyReturn: null });
      expect(rows.length).toBe(dates.filter((date) => date >= from).length);
      for (const { portfolioValue, navValue } of rows) expect(portfolioValue / navValue).toBeCloseTo(1, 10);
    }
  });

  it("starts at the stored NAV and stays above it where trading cost something", () => {
    const rows = days(stored(50), dates[10]!);
    expect(rows[0]!.portfolioValue).toBe(rows[0]!.navValue);
    expect(rows.at(-1)!.portfolioValue).toBeGreaterThan(rows.at(-1)!.navValue);
    for (const [index, row] of rows.slice(1).entries()) {
      expect(row.dailyReturn).toBeCloseTo(row.portfolioValue / rows[index]!.portfolioValue - 1, 12);
    }
  });

  it("keeps what the weights leave of 1 as cash, and refuses more than 1", () => {
    const half = { ...stored(0), rebalances: [{ date: dates[0]!, weights: new Map([[1, 0.5]]) }] };
    const rows = days(half, dates[0]!);
    const growth = assets[0]!.prices[20]! / assets[0]!.prices[0]!;
    expect(rows[20]!.portfolioValue).toBeCloseTo(1000 * (0.5 + 0.5 * growth), 8);
    const over = { ...half, rebalances: [{ date: dates[5]!, weights: new Map([[1, 0.8], [2, 0.4]]) }] }; // prettier-ignore
    expect(driftedPortfolio(over, 0)).toMatchObject({ kind: "weights_sum", date: dates[5] });
  });

  it("has no rows before the first rebalance, and names an asset without a price", () => {
    const late = { ...stored(0), rebalances: [{ date: dates[50]!, weights: new Map([[1, 1]]) }] };
    expect(days(late, 0)[0]!.date).toBe(dates[50]);
    const unknown = { ...late, rebalances: [{ date: dates[50]!, weights: new Map([[9, 1]]) }] };
    expect(driftedPortfolio(unknown, 0)).toEqual({ kind: "missing_price", asset: 9, date: dates[50] });
    expect(days({ ...late, nav: { dates: [], prices: [] } }, 0)).toEqual([]);
  });

  it("keeps the last price of an asset that stopped", () => {
    const portfolio = stored(0);
    const stopping = series(dates.slice(0, 100), walk(1, 100));
    const rows = days({ ...portfolio, prices: new Map(portfolio.prices).set(1, stopping) }, 0);
    expect(rows.length).toBe(dates.length);
    expect(rows.every((row) => row.portfolioValue > 0)).toBe(true);
  });
});
