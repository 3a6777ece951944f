import { civilFromDays } from "@firn/core";

/** How often a portfolio is brought back to its target weights. */
export type RebalanceFrequency = "monthly" | "quarterly" | "yearly";

/** Months since January of the year 0. */
export function monthOf(date: number): number {
  const { year, month } = civilFromDays(date);
  return year * 12 + month - 1;
}

const MONTHS: Readonly<Record<RebalanceFrequency, number>> = { monthly: 1, quarterly: 3, yearly: 12 };

/** Indexes of the first date of each calendar period among ascending dates; the first date is always one of them. */
export function rebalanceIndexes(dates: readonly number[], frequency: RebalanceFrequency): number[] {
  const months = MONTHS[frequency];
  let period: number | undefined;
  const indexes: number[] = [];
  for (const [index, date] of dates.entries()) {
    const own = Math.floor(monthOf(date) / months);
    if (own !== period) indexes.push(index);
    period = own;
  }
  return indexes;
}

/** The last date of each month among ascending dates. A month without a date has none. */
export interface MonthEnds {
  readonly months: readonly number[];
  /** Into `dates`. */
  readonly indexes: readonly number[];
}

/** The last of the ascending dates in each month that has any. */
export function monthEnds(dates: readonly number[]): MonthEnds {
  const months: number[] = [];
  const indexes: number[] = [];
  for (const [index, date] of dates.entries()) {
    const month = monthOf(date);
    if (months.at(-1) === month) indexes[indexes.length - 1] = index;
    else {
      months.push(month);
      indexes.push(index);
    }
  }
  return { months, indexes };
}
