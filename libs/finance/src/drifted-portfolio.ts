import { portfolioNav, type Rebalance } from "./portfolio-nav.ts";
import { carriedPrices, type PriceSeries } from "./price-series.ts";

/** Target weights of one rebalance day, by asset. */
export interface StoredRebalance {
  readonly date: number;
  readonly weights: ReadonlyMap<number, number>;
}

export interface StoredPortfolio {
  /** The stored NAV, ascending by date. */
  readonly nav: PriceSeries;
  /** Ascending by date. */
  readonly rebalances: readonly StoredRebalance[];
  /** Prices by asset, with what lies before the first date asked for where there is any. */
  readonly prices: ReadonlyMap<number, PriceSeries>;
}

export interface PortfolioDay {
  readonly date: number;
  readonly portfolioValue: number;
  readonly navValue: number;
  /** Null on the first day. */
  readonly dailyReturn: number | null;
}

/** Why a portfolio's weights cannot be followed. */
export type DriftProblem =
  | { readonly kind: "weights_sum"; readonly date: number; readonly sum: number }
  | { readonly kind: "missing_price"; readonly asset: number; readonly date: number };

/** What rounding may add to weights that sum to 1. */
const SUM_TOLERANCE = 1e-6;

/**
 * What the stored weights were worth: from the stored NAV of the first day on, each rebalance's weights drift with
 * prices until the next one. It differs from the stored NAV by what trading cost, and by what is wrong. The days are
 * those of the stored NAV from `startDate` on, as far back as there is a rebalance. What weights leave of 1 is cash.
 */
export function driftedPortfolio(
  { nav, rebalances, prices }: StoredPortfolio,
  startDate: number,
): { readonly kind: "days"; readonly days: readonly PortfolioDay[] } | DriftProblem {
  const wrong = rebalances.find(({ weights }) => Math.abs(sumOf(weights)) > 1 + SUM_TOLERANCE);
  if (wrong !== undefined) return { kind: "weights_sum", date: wrong.date, sum: sumOf(wrong.weights) };
  const firstRebalance = rebalances[0]?.date ?? Infinity;
  // From the rebalance in force on the first day, so that its weights have drifted until then.
  const asked = Array.from(nav.dates).filter((date) => date >= Math.max(startDate, firstRebalance));
  const [start] = asked;
  if (start === undefined) return { kind: "days", days: [] };
  const inForce = rebalances.findLastIndex((rebalance) => rebalance.date <= start);
  const followed = rebalances.slice(inForce);
  const assets = [...new Set(followed.flatMap(({ weights }) => [...weights.keys()]))];
  const dates = [...new Set([...followed.map(({ date }) => date), ...asked])]
    .filter((date) => date <= asked.at(-1)!)
    .sort((one, other) => one - other);
  const carried = assets.map((asset) => carriedPrices(prices.get(asset) ?? { dates: [], prices: [] }, dates));
  const steps = followed.map(({ date, weights }) => ({
    index: dates.indexOf(date),
    weights: assets.map((asset) => weights.get(asset) ?? 0),
  }));
  const missing = findMissing(dates, assets, carried, steps);
  if (missing !== undefined) return missing;
  // An asset that is not held needs no price: 1 stands for it, times nothing.
  const aligned = { dates, prices: carried.map((own) => own.map((price) => price ?? 1)) };
  const values = portfolioNav(
    aligned,
    steps.filter(({ index }) => index >= 0),
    1,
    0,
  );
  return { kind: "days", days: daysOf(nav, asked, dates, values) };
}

function daysOf(
  nav: PriceSeries,
  asked: readonly number[],
  dates: readonly number[],
  values: readonly number[],
): PortfolioDay[] {
  const navOn = carriedPrices(nav, asked) as number[];
  const valueOn = carriedPrices({ dates, prices: values }, asked) as number[];
  const scale = navOn[0]! / valueOn[0]!;
  return asked.map((date, index) => ({
    date,
    portfolioValue: index === 0 ? navOn[0]! : valueOn[index]! * scale,
    navValue: navOn[index]!,
    dailyReturn: index === 0 ? null : valueOn[index]! / valueOn[index - 1]! - 1,
  }));
}

/** An asset that is bought on a date before which it has no price. */
function findMissing(
  dates: readonly number[],
  assets: readonly number[],
  carried: readonly (readonly (number | null)[])[],
  steps: readonly Rebalance[],
): DriftProblem | undefined {
  for (const { index, weights } of steps) {
    if (index < 0) continue;
    const asset = weights.findIndex((weight, at) => weight !== 0 && carried[at]![index] === null);
    if (asset !== -1) return { kind: "missing_price", asset: assets[asset]!, date: dates[index]! };
  }
  return undefined;
}

const sumOf = (weights: ReadonlyMap<number, number>): number =>
  [...weights.values()].reduce((sum, weight) => sum + weight, 0);
