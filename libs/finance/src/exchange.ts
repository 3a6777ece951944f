import { carriedPrices, type PriceSeries } from "./price-series.ts";

/**
 * A series in another currency, at the last rate known on each date. Dates before the first rate are left out.
 *
 * @param rates units of the series' currency for one unit of the wanted one (KRW per USD turns won into dollars)
 */
export function exchangePrices(series: PriceSeries, rates: PriceSeries): PriceSeries {
  const dates = Array.from(series.dates);
  const carried = carriedPrices(rates, dates);
  const known = dates.flatMap((date, index) => (carried[index] === null ? [] : [{ date, index }]));
  return {
    dates: known.map(({ date }) => date),
    prices: known.map(({ index }) => series.prices[index]! / carried[index]!),
  };
}

/** The rates of the opposite direction. */
export function invertRates({ dates, prices }: PriceSeries): PriceSeries {
  return { dates, prices: Array.from(prices, (price) => 1 / price) };
}
