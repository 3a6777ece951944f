import { START_NAV } from "./backtest.ts";
import { carriedPrices, type PriceSeries } from "./price-series.ts";

/**
 * The benchmark's own curve from 1000 on the dates of another one. On a date on which it did not trade its last price
 * stands; before its first price there is null, and the curve begins with 1000 where it begins.
 */
export function benchmarkNav(series: PriceSeries, dates: readonly number[]): (number | null)[] {
  const prices = carriedPrices(series, dates);
  const first = prices.find((price) => price !== null);
  return prices.map((price) => (price === null ? null : (START_NAV * price) / first!));
}
