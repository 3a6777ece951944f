import { monthOf } from "./trading-period.ts";

/** A monthly series: one value a month. */
export interface MacroSeries {
  /** Days since 1970-01-01, ascending. */
  readonly dates: ArrayLike<number>;
  readonly values: ArrayLike<number | null>;
}

export type Regime = "Goldilocks" | "Reflation" | "Stagflation" | "Deflation";

export interface RegimeMonth {
  /** Months since January of the year 0. */
  readonly month: number;
  readonly growthChange: number;
  readonly inflationChange: number;
  readonly regime: Regime;
}

const CHANGE_MONTHS = 3;
const YEAR_MONTHS = 12;
/** A month's figures are published in the next. */
const LAG_MONTHS = 1;

/**
 * The quadrant of each month for which it is known: growth up or down by inflation up or down, each by its change over
 * three months, as known a month later. Inflation is the twelve-month change of a price index. No change counts as down.
 */
export function regimeMonths(growth: MacroSeries, priceIndex: MacroSeries): RegimeMonth[] {
  const growthBy = byMonth(growth);
  const inflationBy = yearlyChange(byMonth(priceIndex));
  const months = [...growthBy.keys()].map((month) => month + LAG_MONTHS).sort((one, other) => one - other);
  return months.flatMap((month) => {
    const growthChange = changeOf(growthBy, month - LAG_MONTHS);
    const inflationChange = changeOf(inflationBy, month - LAG_MONTHS);
    if (growthChange === undefined || inflationChange === undefined) return [];
    return [{ month, growthChange, inflationChange, regime: regimeOf(growthChange, inflationChange) }];
  });
}

/** The quadrant of two changes: above 0 is up, all else is down. */
export function regimeOf(growthChange: number, inflationChange: number): Regime {
  if (growthChange > 0) return inflationChange > 0 ? "Reflation" : "Goldilocks";
  return inflationChange > 0 ? "Stagflation" : "Deflation";
}

/** The last value of each month that has one. */
function byMonth({ dates, values }: MacroSeries): Map<number, number> {
  const months = new Map<number, number>();
  for (let index = 0; index < dates.length; index++) {
    const value = values[index];
    if (value !== null && value !== undefined && Number.isFinite(value)) months.set(monthOf(dates[index]!), value);
  }
  return months;
}

function yearlyChange(index: ReadonlyMap<number, number>): Map<number, number> {
  const changes = new Map<number, number>();
  for (const [month, value] of index) {
    const before = index.get(month - YEAR_MONTHS);
    if (before !== undefined && before !== 0) changes.set(month, value / before - 1);
  }
  return changes;
}

function changeOf(values: ReadonlyMap<number, number>, month: number): number | undefined {
  const [now, before] = [values.get(month), values.get(month - CHANGE_MONTHS)];
  return now === undefined || before === undefined ? undefined : now - before;
}
