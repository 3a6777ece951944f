import { portfolioNav } from "./portfolio-nav.ts";
import { alignPrices, findUnusablePrice, type PriceSeries, type UnusablePrice } from "./price-series.ts";
import { curveBounds, type EndedEarly, type StartedLate } from "./curve-bounds.ts";
import { targetsOf, type Algorithm } from "./target-weights.ts";
import { rebalanceIndexes, type RebalanceFrequency } from "./trading-period.ts";

export interface BacktestRequest {
  /** One series an asset, with all the history there is: momentum looks back beyond the window. */
  readonly assets: readonly PriceSeries[];
  readonly algorithm: Algorithm;
  /** First and last day of the window, inclusive; without a last one the window ends at the last common date. */
  readonly startDate: number;
  readonly endDate?: number;
  readonly frequency: RebalanceFrequency;
  /** Costs of trading in basis points of the traded value. */
  readonly costBps: number;
}

export interface BacktestRebalance {
  readonly date: number;
  /** One value an asset, in the order of the assets. */
  readonly weights: readonly number[];
  readonly scores: readonly (number | null)[];
}

export interface BacktestCurve {
  readonly kind: "curve";
  /** Days since 1970-01-01, ascending. */
  readonly dates: readonly number[];
  /** Net asset value on each date; 1000 less the first purchase's cost on the first. */
  readonly nav: readonly number[];
  readonly rebalances: readonly BacktestRebalance[];
  readonly endedEarly: EndedEarly | undefined;
  readonly startedLate: StartedLate | undefined;
}

/** Why there is no curve. */
export type BacktestProblem =
  | { readonly kind: "no_assets" }
  /** The assets share no date in the window. */
  | { readonly kind: "no_common_dates" }
  | ({ readonly kind: "unusable_price" } & UnusablePrice);

/** The value of a curve on its first day. */
export const START_NAV = 1000;

/** Runs a strategy over stored prices, on the dates of the window on which every asset has one. */
export function runBacktest(request: BacktestRequest): BacktestCurve | BacktestProblem {
  const { assets, startDate, endDate = Infinity } = request;
  if (assets.length === 0) return { kind: "no_assets" };
  const unusable = findUnusablePrice(assets);
  if (unusable !== undefined) return { kind: "unusable_price", ...unusable };
  const history = alignPrices(assets);
  const from = history.dates.findIndex((date) => date >= startDate);
  const to = history.dates.findLastIndex((date) => date <= endDate) + 1;
  if (from === -1 || to <= from) return { kind: "no_common_dates" };
  const window = {
    dates: history.dates.slice(from, to),
    prices: history.prices.map((prices) => prices.slice(from, to)),
  };
  const targetOf = targetsOf(request.algorithm, history);
  const rebalances = rebalanceIndexes(window.dates, request.frequency).map((index) => {
    const date = window.dates[index]!;
    return { index, date, ...targetOf(date) };
  });
  return {
    kind: "curve",
    dates: window.dates,
    nav: portfolioNav(window, rebalances, START_NAV, request.costBps / 10_000),
    rebalances: rebalances.map(({ date, weights, scores }) => ({ date, weights, scores })),
    ...curveBounds(assets, window.dates, request),
  };
}
