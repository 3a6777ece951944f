import { formatDate, parseDate, type Parameters, type RollupDefinition, type RowCondition } from "@firn/core";

type Period = RollupDefinition["period"];

/**
 * Conditions on a rollup's period for `start_date`, `end_date` and `year`: every period that overlaps the range. The
 * column of the period's first day says it all, because a week ends six days and a month less than a month later; it
 * is also what the tables are partitioned by.
 */
export function periodRange(rollup: RollupDefinition, parameters: Parameters): RowCondition[] {
  const column = rollup.periodColumns.start;
  const year = parameters["year"] as number | undefined;
  const start = parameters["start_date"] as string | undefined;
  const end = parameters["end_date"] as string | undefined;
  const where: RowCondition[] = [];
  if (start !== undefined) where.push({ op: "gte", column, value: firstPeriodStart(rollup.period, start) });
  if (end !== undefined) where.push({ op: "lte", column, value: end });
  if (year !== undefined) where.push(...yearRange(rollup, year));
  return where;
}

/** The earliest first day of a period that has the date in it. */
function firstPeriodStart(period: Period, date: string): string {
  switch (period) {
    case "day":
      return date;
    case "week":
      return formatDate(parseDate(date)! - 6);
    case "month":
      return `${date.slice(0, 8)}01`;
  }
}

/** An ISO year begins on the Monday from 29 December to 4 January (ISO 8601: its week 1 has the first Thursday). */
function yearRange(rollup: RollupDefinition, year: number): RowCondition[] {
  const { start, year: yearColumn } = rollup.periodColumns;
  const pad = (value: number) => String(value).padStart(4, "0");
  const first = rollup.period === "week" ? `${pad(year - 1)}-12-29` : `${pad(year)}-01-01`;
  const range: RowCondition[] = [
    { op: "gte", column: start, value: first },
    { op: "lte", column: start, value: `${pad(year)}-12-31` },
  ];
  return yearColumn === undefined ? range : [...range, { op: "eq", column: yearColumn, value: year }];
}
