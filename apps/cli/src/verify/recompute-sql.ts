import { columnTypeOf, type Dataset, type MeasureDefinition, type RollupDefinition } from "@firn/core";
import { sqlName, sqlString } from "@firn/lake";

/**
 * A rollup from scratch: plain SQL over the rows of raw, on purpose not the aggregator's own. Sums are compensated so
 * that the reference is no less exact than what it judges.
 */

/** Names of the relations that the SQL reads. */
export const RAW = "raw_rows";
export const PERIODS = "periods";

/** Columns of raw that a rollup is made from. */
export function rawColumns(dataset: Dataset): readonly string[] {
  const { localDate, zone } = dataset.time;
  const zones = [zone?.measured?.map, zone?.name, zone?.offsetMinutes].filter((name) => name !== undefined);
  const rollups = dataset.rollups.flatMap(({ dimensions, measures }) => [
    ...dimensions,
    ...measures.filter(({ fold }) => fold !== "mean_of_daily").map(({ of }) => of),
  ]);
  return [...new Set([...rollups, localDate, ...zones, ...dataset.eventOrder])];
}

/** Every window: the dimensions, `period` (its first local date), `zone` (of its latest record), and the measures. */
export function recomputeSql(dataset: Dataset, rollup: RollupDefinition, defaultZone: string): string {
  const keys = [...rollup.dimensions.map(sqlName), "period"].join(", ");
  const measures = rollup.measures.map((measure) => `${measureSql(dataset, measure)} AS ${sqlName(measure.column)}`);
  const dailyOf = rollup.measures.find(({ fold }) => fold === "mean_of_daily")?.of;
  return `WITH events AS (
      SELECT *, CAST(date_trunc('${rollup.period}', ${sqlName(dataset.time.localDate)}) AS DATE) AS period,
        ROW(${dataset.eventOrder.map(sqlName).join(", ")}) AS event_order,
        ${zoneSql(dataset, defaultZone)} AS event_zone
      FROM ${RAW}
    ), windows AS (
      SELECT ${keys}, arg_max(event_zone, event_order) AS zone,
        count(DISTINCT ${sqlName(dataset.time.localDate)}) AS window_days, ${measures.join(", ")}
      FROM events GROUP BY ${keys}
    )${dailyOf === undefined ? "" : `, ${meanOfDailySql(dataset, rollup, dailyOf)}`}
    SELECT * FROM windows${dailyOf === undefined ? "" : ` JOIN daily_means USING (${keys})`}`;
}

/** The mean over the days of a window of each day's average. */
function meanOfDailySql(dataset: Dataset, rollup: RollupDefinition, dailyColumn: string): string {
  const daily = dataset.rollups.find(({ period }) => period === "day");
  const measure = daily?.measures.find(({ column }) => column === dailyColumn);
  if (measure?.fold !== "avg")
    throw new Error(`${rollup.name}: a mean of daily ${measure?.fold ?? dailyColumn} is not known`);
  const value = sqlName(measure.of);
  const keys = [...rollup.dimensions.map(sqlName), "period"].join(", ");
  return `days AS (
      SELECT ${keys}, fsum(${value}) / count(${value}) AS day_mean FROM events
      GROUP BY ${keys}, ${sqlName(dataset.time.localDate)}
    ), daily_means AS (SELECT ${keys}, fsum(day_mean) / count(day_mean) AS mean_of_daily FROM days GROUP BY ${keys})`;
}

function measureSql({ raw }: Dataset, { fold, of }: MeasureDefinition): string {
  const value = sqlName(of);
  switch (fold) {
    case "min":
    case "max":
    case "count":
    case "stddev_pop":
      return `${fold}(${value})`;
    case "sum":
      return columnTypeOf(raw, of) === "double" ? `fsum(${value})` : `CAST(sum(${value}) AS BIGINT)`;
    case "avg":
      return `fsum(${value}) / count(${value})`;
    case "first":
      return `arg_min(${value}, event_order)`;
    case "last":
      return `arg_max(${value}, event_order)`;
    case "record_count":
      return "count(*)";
    case "day_count":
      return "window_days";
    case "sum_per_day":
      return `fsum(${value}) / window_days`;
    case "mean_of_daily":
      return "NULL";
  }
}

/** Where a record was measured: its own zone, else the one sent, else the offset sent, else the lake's default. */
function zoneSql({ time }: Dataset, defaultZone: string): string {
  const { measured, name, offsetMinutes } = time.zone ?? {};
  const zones = [
    measured && `${sqlName(measured.map)}[${sqlString(measured.key)}]`,
    name && sqlName(name),
    offsetMinutes && offsetZoneSql(sqlName(offsetMinutes)),
    sqlString(defaultZone),
  ];
  return `coalesce(${zones.filter((zone) => zone !== undefined).join(", ")})`;
}

function offsetZoneSql(offset: string): string {
  const text = `printf('%s%02d:%02d', CASE WHEN ${offset} < 0 THEN '-' ELSE '+' END, abs(${offset}) // 60, abs(${offset}) % 60)`;
  return `CASE WHEN ${offset} IS NOT NULL THEN ${text} END`;
}
