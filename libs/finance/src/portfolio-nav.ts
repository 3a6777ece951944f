import type { AlignedPrices } from "./price-series.ts";

/** New weights at the close of a date. What the weights leave of 1 is cash, which earns nothing. */
export interface Rebalance {
  /** Into the dates of the prices. */
  readonly index: number;
  /** One weight an asset. */
  readonly weights: readonly number[];
}

/**
 * Value of a portfolio on each date, from the first rebalance on: holdings drift with their prices between rebalances.
 * At a rebalance it costs Σ|target − drifted weight| × costRate of its value, the first purchase included, and the value
 * of that date is the one after the cost.
 *
 * @param rebalances ascending; the first one is of the first date that has a value
 * @param costRate fraction of the traded value, 0.001 for 10 basis points
 */
export function portfolioNav(
  { dates, prices }: AlignedPrices,
  rebalances: readonly Rebalance[],
  startValue: number,
  costRate: number,
): number[] {
  const nav: number[] = [];
  const units = prices.map(() => 0);
  let cash = startValue;
  let next = 0;
  const from = rebalances[0]?.index ?? dates.length;
  for (let index = from; index < dates.length; index++) {
    let value = units.reduce((sum, held, asset) => sum + held * prices[asset]![index]!, cash);
    const rebalance = rebalances[next];
    if (rebalance?.index === index) {
      next++;
      const before = value;
      const traded = rebalance.weights.reduce(
        (sum, weight, asset) => sum + Math.abs(weight - (units[asset]! * prices[asset]![index]!) / before),
        0,
      );
      value = before - before * traded * costRate;
      cash = value * (1 - rebalance.weights.reduce((sum, weight) => sum + weight, 0));
      for (const [asset, weight] of rebalance.weights.entries()) {
        units[asset] = (value * weight) / prices[asset]![index]!;
      }
    }
    nav.push(value);
  }
  return nav;
}
