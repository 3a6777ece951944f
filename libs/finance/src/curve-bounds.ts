import type { PriceSeries } from "./price-series.ts";

/** A curve that ends before the window does. */
export interface EndedEarly {
  /** The last date of the curve. */
  readonly date: number;
  /** Assets that have no price after it in the window, by their place in the request. */
  readonly stopped: readonly number[];
}

/** A curve that begins after the window does, because these assets had no price yet. */
export interface StartedLate {
  readonly date: number;
  readonly missing: readonly number[];
}

/** No exchange has been closed for longer: a silence beyond it is the end of a series, not a holiday. */
const CLOSED_DAYS_MAX = 10;

/**
 * Whether a curve covers its window. It ended early when an asset went on after its last date, or when the window goes
 * on for longer than an exchange is ever closed; it started late in the same way.
 */
export function curveBounds(
  assets: readonly PriceSeries[],
  dates: readonly number[],
  window: { readonly startDate: number; readonly endDate?: number },
): { readonly endedEarly: EndedEarly | undefined; readonly startedLate: StartedLate | undefined } {
  const [first, last] = [dates[0]!, dates.at(-1)!];
  const end = window.endDate ?? Infinity;
  const goesOn = assets.map((asset) => hasDate(asset, last + 1, end));
  const wasThere = assets.map((asset) => hasDate(asset, window.startDate, first - 1));
  const ends = goesOn.includes(true) || (end !== Infinity && end - last > CLOSED_DAYS_MAX);
  const late = wasThere.includes(true) || first - window.startDate > CLOSED_DAYS_MAX;
  const without = (flags: readonly boolean[]) => flags.flatMap((there, index) => (there ? [] : [index]));
  return {
    endedEarly: ends ? { date: last, stopped: without(goesOn) } : undefined,
    startedLate: late ? { date: first, missing: without(wasThere) } : undefined,
  };
}

/** True when the series has a date from `from` to `to`, both inclusive. */
function hasDate({ dates }: PriceSeries, from: number, to: number): boolean {
  let low = 0;
  let high = dates.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (dates[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return low < dates.length && dates[low]! <= to;
}
