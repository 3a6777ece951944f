/**
 * SQL text of the rollups: windows of days from rows of raw, windows of weeks and months from days.
 *
 * Sums are compensated (`fsum`), variances are Welford's within a day and combined by Chan's formula across days, so
 * that the result does not hang on the order of the rows beyond rounding.
 */
import {
  columnTypeOf,
  type Dataset,
  daysOf,
  findDayMeasure,
  type RollupDefinition,
  type TableDefinition,
} from "@firn/core";
import { definedType, duckType, sqlName, sqlString } from "@firn/lake";
import {
  dayMeasureSql,
  eventOrderSql,
  exactDeviationSql,
  type FindDayMeasure,
  periodMeanSql,
  periodMeasureSql,
} from "./measure-sql.ts";

/** Calendar columns that window tables carry beside the dimensions. */
export const periodStart = "period_start";
export const zoneColumn = "zone";

export function dimensionList(dataset: Dataset, alias?: string): string {
  return daysOf(dataset)
    .dimensions.map((name) => (alias ? `${alias}.${sqlName(name)}` : sqlName(name)))
    .join(", ");
}

/** Zone of a row of raw: the one attached to its measurement, else the one sent, else its offset, else the lake's. */
export function zoneSql(dataset: Dataset, defaultZone: string): string {
  const { measured, name, offsetMinutes } = dataset.time.zone ?? {};
  const zones: string[] = [];
  if (measured) zones.push(`${sqlName(measured.map)}[${sqlString(measured.key)}]`);
  if (name !== undefined) zones.push(sqlName(name));
  if (offsetMinutes !== undefined) zones.push(offsetZoneSql(sqlName(offsetMinutes)));
  return zones.length === 0 ? sqlString(defaultZone) : `coalesce(${zones.join(", ")}, ${sqlString(defaultZone)})`;
}

function offsetZoneSql(offset: string): string {
  const sign = `CASE WHEN ${offset} < 0 THEN '-' ELSE '+' END`;
  return `${sign} || lpad(CAST(abs(${offset}) // 60 AS VARCHAR), 2, '0') || ':' || lpad(CAST(abs(${offset}) % 60 AS VARCHAR), 2, '0')`;
}

/** Columns of raw that windows are made from. */
export function sourceColumns(dataset: Dataset): string[] {
  const { dimensions, measures } = daysOf(dataset);
  const { localDate, zone } = dataset.time;
  const zones = [zone?.measured?.map, zone?.name, zone?.offsetMinutes].filter((name) => name !== undefined);
  const folded = measures.map((measure) => measure.of);
  return [...new Set([...dimensions, localDate, ...folded, ...dataset.eventOrder, ...zones])];
}

/** Windows (dimensions, period_start) of rows of raw, each once. */
export function windowsSql(dataset: Dataset, relation: string): string {
  return `SELECT DISTINCT ${dimensionList(dataset)}, ${sqlName(dataset.time.localDate)} AS ${periodStart} FROM ${relation}`;
}

export interface RowSql {
  /** What rows of raw are ordered by; default: the dataset's whole event order. */
  readonly order?: string | undefined;
  /** The zone of a row; default: from the columns that may say it. */
  readonly zone?: string | undefined;
}

/** One row a day: dimensions, period_start, zone, and every measure of days by its column name. */
export function dayRowsSql(dataset: Dataset, relation: string, defaultZone: string, row: RowSql = {}): string {
  const measures = daysOf(dataset).measures.map(
    (measure) => `${dayMeasureSql(dataset, measure, row.order)} AS ${sqlName(measure.column)}`,
  );
  return `SELECT ${dimensionList(dataset)}, ${sqlName(dataset.time.localDate)} AS ${periodStart},
      ${latestZoneSql(dataset, defaultZone, row)} AS ${zoneColumn}${measures.map((measure) => `, ${measure}`).join("")}
    FROM ${relation} GROUP BY ${dimensionList(dataset)}, ${sqlName(dataset.time.localDate)}`;
}

/** The zone of the latest row by event order; an aggregate. */
export function latestZoneSql(dataset: Dataset, defaultZone: string, row: RowSql = {}): string {
  const zone = row.zone ?? zoneSql(dataset, defaultZone);
  if (dataset.time.zone === undefined) return `any_value(${zone})`;
  return `arg_max(${zone}, ${row.order ?? eventOrderSql(dataset)})`;
}

/** First day of the period that a date lies in. */
export function periodOfSql(rollup: RollupDefinition, date: string): string {
  return `CAST(date_trunc('${rollup.period}', ${date}) AS DATE)`;
}

/** Last day of the period that starts at a date. */
export function lastDayOfPeriodSql(rollup: RollupDefinition, start: string): string {
  return rollup.period === "week" ? `${start} + 6` : rollup.period === "month" ? `last_day(${start})` : start;
}

/**
 * One row a week or month from a relation of day rows (as `dayRowsSql` makes them). `zone` is null where the days are
 * of several zones: the latest row, which decides, may then lie in an earlier local day. A deviation is null where one
 * pass does not make it exact enough: `exactDeviationsSql` does.
 */
export function periodRowsSql(dataset: Dataset, rollup: RollupDefinition, days: string): string {
  const dayMeasure = dayMeasureOf(dataset);
  const measures = rollup.measures.map(
    (measure) => `, ${periodMeasureSql(dataset, measure, dayMeasure)} AS ${sqlName(measure.column)}`,
  );
  // Of 64 bits, for some hundred names of zones: comparing texts costs several times as much.
  const isOneZone = `min(hash(${zoneColumn})) = max(hash(${zoneColumn}))`;
  return `SELECT ${dimensionList(dataset)}, period AS ${periodStart},
      CASE WHEN ${isOneZone} THEN any_value(${zoneColumn}) END AS ${zoneColumn}${measures.join("")}
    FROM (SELECT *, ${periodOfSql(rollup, periodStart)} AS period FROM ${days}) GROUP BY ${dimensionList(dataset)}, period`;
}

/** Fills in the deviations that are null in a table of period rows; undefined where the rollup has no such measure. */
export function exactDeviationsSql(
  dataset: Dataset,
  rollup: RollupDefinition,
  rows: string,
  days: string,
): { readonly missing: string; readonly updates: readonly string[] } | undefined {
  const deviations = rollup.measures.filter((measure) => measure.fold === "stddev_pop");
  if (deviations.length === 0) return undefined;
  const dayMeasure = dayMeasureOf(dataset);
  const keys = [...daysOf(dataset).dimensions.map(sqlName), "period"];
  const same = (left: string, right: string, start: string) =>
    keys.map((key) => `${left}.${key === "period" ? start : key} = ${right}.${key}`).join(" AND ");
  const withPeriod = `(SELECT *, ${periodOfSql(rollup, periodStart)} AS period FROM ${days})`;
  return {
    missing: deviations.map(({ column }) => `${sqlName(column)} IS NULL`).join(" OR "),
    updates: deviations.map(({ column, of }) => {
      const asked = `(SELECT * FROM ${rows} WHERE ${sqlName(column)} IS NULL)`;
      const some = `(SELECT d.* FROM ${withPeriod} d SEMI JOIN ${asked} m ON ${same("m", "d", periodStart)})`;
      return `UPDATE ${rows} AS r SET ${sqlName(column)} = e.deviation FROM (
          SELECT ${keys.join(", ")}, ${exactDeviationSql(of, dayMeasure)} AS deviation
          FROM (SELECT *, ${periodMeanSql(of, dayMeasure, keys.join(", "))} FROM ${some}) GROUP BY ${keys.join(", ")}) e
        WHERE ${same("r", "e", periodStart)} AND r.${sqlName(column)} IS NULL`;
    }),
  };
}

function dayMeasureOf(dataset: Dataset): FindDayMeasure {
  return (fold, of) => findDayMeasure(dataset, daysOf(dataset).measures, fold, of);
}

/** Whether rows of the rollup say at which instants their period starts and ends. */
export function hasBounds({ periodColumns }: RollupDefinition): boolean {
  return periodColumns.windowStart !== undefined || periodColumns.windowEnd !== undefined;
}

/**
 * The rollup's table rows, in its column order, from period rows and, where it has them, a relation `bounds`
 * (period_start, zone, window_start, window_end).
 */
export function tableRowsSql(
  rollup: RollupDefinition,
  rows: string,
  bounds: string | undefined,
  updatedAtUs: number,
): string {
  const period = rollup.periodColumns;
  const date = `r.${periodStart}`;
  const calendar: readonly (readonly [string | undefined, string])[] = [
    [period.start, date],
    [period.end, lastDayOfPeriodSql(rollup, date)],
    [period.year, `${rollup.period === "week" ? "isoyear" : "year"}(${date})`],
    [period.number, `${rollup.period === "week" ? "week" : "month"}(${date})`],
    [period.windowStart, "b.window_start"],
    [period.windowEnd, "b.window_end"],
    [period.timezone, `r.${zoneColumn}`],
    [period.updatedAt, `make_timestamptz(${updatedAtUs})`],
  ];
  const columns = rollup.table.columns.map(({ name, type }) => {
    const value = calendar.find(([column]) => column === name)?.[1] ?? `r.${sqlName(name)}`;
    return `CAST(${value} AS ${duckType(definedType(type))}) AS ${sqlName(name)}`;
  });
  const joined =
    bounds === undefined ? "" : ` JOIN ${bounds} b ON ${date} = b.${periodStart} AND r.${zoneColumn} = b.zone`;
  return `SELECT ${columns.join(", ")} FROM ${rows} r${joined}`;
}

/** Day rows (as `dayRowsSql` makes them) from a relation over the daily rollup's own table. */
export function dayRowsOfTableSql(
  dataset: Dataset,
  daily: RollupDefinition,
  relation: string,
  defaultZone: string,
): string {
  const { start, timezone } = daily.periodColumns;
  const measures = daily.measures.map((measure) => `, ${sqlName(measure.column)}`);
  return `SELECT ${dimensionList(dataset)}, CAST(${sqlName(start)} AS DATE) AS ${periodStart},
      ${timezone === undefined ? sqlString(defaultZone) : sqlName(timezone)} AS ${zoneColumn}${measures.join("")} FROM ${relation}`;
}

/** Identity columns of the rollup's table from windows (dimensions, period_start). */
export function windowKeysSql(rollup: RollupDefinition, windows: string): string {
  const columns = rollup.table.identity.map((name) =>
    name === rollup.periodColumns.start
      ? `CAST(${periodStart} AS ${duckType(definedType(columnTypeOf(rollup.table, name)))}) AS ${sqlName(name)}`
      : sqlName(name),
  );
  return `SELECT ${columns.join(", ")} FROM ${windows}`;
}

export function columnNames(definition: TableDefinition): string[] {
  return definition.columns.map((column) => column.name);
}
