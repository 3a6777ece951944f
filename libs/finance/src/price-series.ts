/**
 * Prices of one asset: dates as days since 1970-01-01, ascending, each once, and the price on each. What an asset did
 * not trade on is not in it.
 */
export interface PriceSeries {
  readonly dates: ArrayLike<number>;
  readonly prices: ArrayLike<number>;
}

/** A price that no return can be computed with: not finite, zero or negative. */
export interface UnusablePrice {
  readonly series: number;
  readonly date: number;
  readonly price: number;
}

/** The first unusable price of any of the series, undefined when all are positive numbers. */
export function findUnusablePrice(series: readonly PriceSeries[]): UnusablePrice | undefined {
  for (const [index, { dates, prices }] of series.entries()) {
    for (let at = 0; at < dates.length; at++) {
      const price = prices[at]!;
      if (!(price > 0 && price < Infinity)) return { series: index, date: dates[at]!, price };
    }
  }
  return undefined;
}

/** Dates that every series has, and each series' prices on them. */
export interface AlignedPrices {
  readonly dates: readonly number[];
  /** One array a series, in the order of the series, as long as `dates`. */
  readonly prices: readonly (readonly number[])[];
}

/** Merges ascending series on the dates that all of them have. */
export function alignPrices(series: readonly PriceSeries[]): AlignedPrices {
  const dates: number[] = [];
  const prices = series.map((): number[] => []);
  const [first, ...others] = series;
  if (first === undefined) return { dates, prices };
  const positions = series.map(() => 0);
  for (let at = 0; at < first.dates.length; at++) {
    const date = first.dates[at]!;
    positions[0] = at;
    const everywhere = others.every((other, index) => {
      let position = positions[index + 1]!;
      while (position < other.dates.length && other.dates[position]! < date) position++;
      positions[index + 1] = position;
      return other.dates[position] === date;
    });
    if (!everywhere) continue;
    dates.push(date);
    for (const [index, one] of series.entries()) prices[index]!.push(one.prices[positions[index]!]!);
  }
  return { dates, prices };
}

/**
 * The price on each of the dates, or where the asset did not trade the last one before; null before its first.
 *
 * @param dates ascending
 */
export function carriedPrices({ dates: own, prices }: PriceSeries, dates: readonly number[]): (number | null)[] {
  let next = 0;
  let last: number | null = null;
  return dates.map((date) => {
    while (next < own.length && own[next]! <= date) last = prices[next++]!;
    return last;
  });
}
