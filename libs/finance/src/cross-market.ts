import { mean } from "./sample-moments.ts";

/** One market's side: date → price and return, both of them null where they are not known. */
export interface MarketSeries {
  readonly dates: ArrayLike<number>;
  readonly prices: ArrayLike<number | null>;
  readonly returns: ArrayLike<number | null>;
}

export interface CrossMarketRow {
  readonly date: number;
  readonly usPrice: number | null;
  readonly krPrice: number | null;
  readonly usReturn: number | null;
  readonly krReturn: number | null;
  readonly correlation: number | null;
}

const CORRELATION_DATES = 20;

/**
 * Two markets side by side, by date: every date on which either traded, with the correlation of the returns over the
 * last 20 dates up to it on which both did; null before there are 20.
 *
 * @param lag 1 puts the next Korean date beside each US date: Seoul closes before New York opens, so what New York did
 *   shows in Seoul a day later. A Korean date that is next to none stands by itself.
 */
export function crossMarket(us: MarketSeries, kr: MarketSeries, lag: 0 | 1): CrossMarketRow[] {
  const pairs = pairDates(us, kr, lag);
  const window: { readonly us: number; readonly kr: number }[] = [];
  let current: number | null = null;
  return pairs.map(({ date, usAt, krAt }) => {
    const usReturn = at(us.returns, usAt);
    const krReturn = at(kr.returns, krAt);
    if (usReturn !== null && krReturn !== null) {
      window.push({ us: usReturn, kr: krReturn });
      if (window.length > CORRELATION_DATES) window.shift();
      if (window.length === CORRELATION_DATES) {
        current = correlation(
          window.map((pair) => pair.us),
          window.map((pair) => pair.kr),
        );
      }
    }
    return {
      date,
      usPrice: at(us.prices, usAt),
      krPrice: at(kr.prices, krAt),
      usReturn,
      krReturn,
      correlation: current,
    };
  });
}

interface DatePair {
  readonly date: number;
  readonly usAt: number | undefined;
  readonly krAt: number | undefined;
}

/** An outer join by date; with a lag the Korean side of a US date is its next date. */
function pairDates(us: MarketSeries, kr: MarketSeries, lag: 0 | 1): DatePair[] {
  const paired = new Set<number>();
  const rows: DatePair[] = [];
  let next = 0;
  for (let usAt = 0; usAt < us.dates.length; usAt++) {
    const date = us.dates[usAt]!;
    while (next < kr.dates.length && kr.dates[next]! < date + lag) next++;
    const found = next < kr.dates.length && (lag === 1 || kr.dates[next] === date);
    if (found) paired.add(next);
    rows.push({ date, usAt, krAt: found ? next : undefined });
  }
  for (let krAt = 0; krAt < kr.dates.length; krAt++) {
    if (!paired.has(krAt)) rows.push({ date: kr.dates[krAt]!, usAt: undefined, krAt });
  }
  // Of one date the US row comes first; its Korean one is of a later day.
  return rows.sort((one, other) => one.date - other.date || (one.usAt === undefined ? 1 : -1));
}

const at = (values: ArrayLike<number | null>, index: number | undefined): number | null =>
  index === undefined ? null : (values[index] ?? null);

/** Pearson's correlation; null where either side does not vary. */
export function correlation(one: readonly number[], other: readonly number[]): number | null {
  const [oneMean, otherMean] = [mean(one) ?? 0, mean(other) ?? 0];
  let [both, oneSquares, otherSquares] = [0, 0, 0];
  for (const [index, value] of one.entries()) {
    const [a, b] = [value - oneMean, other[index]! - otherMean];
    both += a * b;
    oneSquares += a * a;
    otherSquares += b * b;
  }
  if (oneSquares === 0 || otherSquares === 0) return null;
  return Math.max(-1, Math.min(1, both / Math.sqrt(oneSquares * otherSquares)));
}
