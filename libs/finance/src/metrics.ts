import { excessKurtosis, mean, quantile, sampleDeviation, skewness } from "./sample-moments.ts";

/** Figures of a curve, from the returns between its points: fractions, not per cent; the risk-free rate is 0. */
export interface PerformanceMetrics {
  /** ∏(1 + r)^(252 / N) − 1. */
  readonly ann_ret: number | null;
  /** Sample deviation of r × √252. */
  readonly ann_vol: number | null;
  /** mean / deviation × √252. */
  readonly sharpe: number | null;
  /** Deepest fall from a peak: min(NAV / cummax − 1), 0 or negative. */
  readonly mdd: number | null;
  /** Bias-corrected. */
  readonly skew: number | null;
  /** Excess kurtosis, bias-corrected. */
  readonly kurt: number | null;
  /** 5 % quantile of r, linear interpolation. */
  readonly var: number | null;
  /** Mean of r ≤ var. */
  readonly cvar: number | null;
}

const TRADING_DAYS = 252;
/** What rounding leaves of a ratio of two prices: returns that vary by less do not vary. */
const RATIO_EPSILON = 4 * Number.EPSILON;

/** Daily returns between the points of a curve: one fewer than points. */
export function returnsOf(nav: readonly number[]): number[] {
  return nav.slice(1).map((value, index) => value / nav[index]! - 1);
}

/** Null where a figure is not defined: too few returns, or returns that do not vary. */
export function performanceMetrics(nav: readonly number[]): PerformanceMetrics {
  const returns = returnsOf(nav);
  const average = mean(returns);
  const deviation = significantDeviation(returns);
  const varies = deviation !== null && deviation > 0;
  const atRisk = quantile(returns, 1, 20);
  const growth = returns.reduce((product, value) => product * (1 + value), 1);
  return {
    ann_ret: returns.length === 0 ? null : growth ** (TRADING_DAYS / returns.length) - 1,
    ann_vol: deviation === null ? null : deviation * Math.sqrt(TRADING_DAYS),
    sharpe: varies ? (average! / deviation) * Math.sqrt(TRADING_DAYS) : null,
    mdd: maxDrawdown(nav),
    skew: varies ? skewness(returns) : null,
    kurt: varies ? excessKurtosis(returns) : null,
    var: atRisk,
    cvar: atRisk === null ? null : mean(returns.filter((value) => value <= atRisk)),
  };
}

function significantDeviation(returns: readonly number[]): number | null {
  const deviation = sampleDeviation(returns);
  if (deviation === null) return null;
  const largest = returns.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return deviation <= RATIO_EPSILON * (1 + largest) ? 0 : deviation;
}

/** Null for a curve without points. */
function maxDrawdown(nav: readonly number[]): number | null {
  if (nav.length === 0) return null;
  let peak = -Infinity;
  let deepest = 0;
  for (const value of nav) {
    peak = Math.max(peak, value);
    deepest = Math.min(deepest, value / peak - 1);
  }
  return deepest;
}
