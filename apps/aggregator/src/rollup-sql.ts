/**
 * SQL text of the rollups: windows of days from rows of raw, windows of weeks and months from days.
 *
 * Sums are compensated (`fsum`), variances are Welford's within a day and combined by Chan's formula across days, so
 * that the result does not hang on the order of the rows beyond rounding.
 */
import type { Dataset, MeasureDefinition, RollupDefinition, TableDefinition } from "@firn/core";
import { sqlName, sqlString } from "@firn/lake";

/** Calendar columns that window tables carry beside the dimensions. */
export const periodStart = "period_start";
export const zoneColumn = "zone";

export function dimensionList(dataset: Dataset, alias?: string): string {
  const daily = dailyRollup(dataset);
  return daily.dimensions.map((name) => (alias ? `${alias}.${sqlName(name)}` : sqlName(name))).join(", ");
}

export function dailyRollup(dataset: Dataset): RollupDefinition {
  const daily = dataset.rollups.find((rollup) => rollup.period === "day");
  if (!daily) throw new Error(`dataset ${dataset.name} has no daily rollup`);
  return daily;
}

/** Zone of the measurement of a row of raw: the one attached to it, else the phone's, else its offset, else the lake's. */
export function zoneSql(dataset: Dataset, defaultZone: string): string {
  const { zoneMap, zoneKey, timezone, timezoneOffset } = dataset.time;
  const offset = sqlName(timezoneOffset);
  const sign = `CASE WHEN ${offset} < 0 THEN '-' ELSE '+' END`;
  const offsetText = `${sign} || lpad(CAST(abs(${offset}) // 60 AS VARCHAR), 2, '0') || ':' || lpad(CAST(abs(${offset}) % 60 AS VARCHAR), 2, '0')`;
  return `coalesce(${sqlName(zoneMap)}[${sqlString(zoneKey)}], ${sqlName(timezone)}, ${offsetText}, ${sqlString(defaultZone)})`;
}

/** Columns of raw that windows are made from. */
export function sourceColumns(dataset: Dataset): string[] {
  const daily = dailyRollup(dataset);
  const { localDate, timezone, timezoneOffset, zoneMap } = dataset.time;
  const folded = daily.measures.map((measure) => measure.of);
  return [
    ...new Set([...daily.dimensions, localDate, ...folded, ...dataset.eventOrder, timezone, timezoneOffset, zoneMap]),
  ];
}

/** Windows (dimensions, period_start) of rows of raw, each once. */
export function windowsSql(dataset: Dataset, relation: string): string {
  return `SELECT DISTINCT ${dimensionList(dataset)}, ${sqlName(dataset.time.localDate)} AS ${periodStart} FROM ${relation}`;
}

/** One row a day: dimensions, period_start, zone, and every measure of the daily rollup by its column name. */
export function dayRowsSql(dataset: Dataset, relation: string, defaultZone: string): string {
  const daily = dailyRollup(dataset);
  const order = `ROW(${dataset.eventOrder.map(sqlName).join(", ")})`;
  const measures = daily.measures.map((measure) => `${dayMeasureSql(measure, order)} AS ${sqlName(measure.column)}`);
  return `SELECT ${dimensionList(dataset)}, ${sqlName(dataset.time.localDate)} AS ${periodStart},
      ${latestZoneSql(dataset, defaultZone)} AS ${zoneColumn}, ${measures.join(", ")}
    FROM ${relation} GROUP BY ALL`;
}

/** The zone of the latest row by event order; an aggregate. */
export function latestZoneSql(dataset: Dataset, defaultZone: string): string {
  return `arg_max(${zoneSql(dataset, defaultZone)}, ROW(${dataset.eventOrder.map(sqlName).join(", ")}))`;
}

function dayMeasureSql(measure: MeasureDefinition, order: string): string {
  const value = sqlName(measure.of);
  switch (measure.fold) {
    case "min":
    case "max":
    case "count":
      return `${measure.fold}(${value})`;
    case "sum":
      return `fsum(${value})`;
    case "avg":
      return `fsum(${value}) / count(${value})`;
    case "stddev_pop":
      return `stddev_pop(${value})`;
    case "first":
      return `arg_min(${value}, ${order})`;
    case "last":
      return `arg_max(${value}, ${order})`;
    case "record_count":
      return "count(*)";
    case "day_count":
    case "mean_of_daily":
    case "sum_per_day":
      throw new Error(`${measure.fold} needs days: it cannot stand in a daily rollup`);
  }
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
 * of several zones: the latest row, which decides, may then lie in an earlier local day.
 */
export function periodRowsSql(dataset: Dataset, rollup: RollupDefinition, days: string): string {
  const column = (fold: MeasureDefinition["fold"]) => {
    const measure = dailyRollup(dataset).measures.find((candidate) => candidate.fold === fold);
    if (!measure) throw new Error(`the daily rollup of ${dataset.name} has no ${fold}`);
    return sqlName(measure.column);
  };
  const period = periodOfSql(rollup, periodStart);
  const keys = `${dimensionList(dataset)}, ${period}`;
  const needsSpread = rollup.measures.some((measure) => measure.fold === "stddev_pop");
  const spread = needsSpread
    ? `, fsum(${column("sum")}) OVER (PARTITION BY ${keys}) / sum(${column("count")}) OVER (PARTITION BY ${keys}) AS period_mean`
    : "";
  const measures = rollup.measures.map(
    (measure) => `${periodMeasureSql(measure, column)} AS ${sqlName(measure.column)}`,
  );
  return `SELECT ${dimensionList(dataset)}, period AS ${periodStart},
      CASE WHEN min(${zoneColumn}) = max(${zoneColumn}) THEN min(${zoneColumn}) END AS ${zoneColumn}, ${measures.join(", ")}
    FROM (SELECT *, ${period} AS period${spread} FROM ${days}) GROUP BY ${dimensionList(dataset)}, period`;
}

function periodMeasureSql(measure: MeasureDefinition, column: (fold: MeasureDefinition["fold"]) => string): string {
  switch (measure.fold) {
    case "min":
    case "max":
      return `${measure.fold}(${column(measure.fold)})`;
    case "count":
    case "record_count":
      return `CAST(sum(${column(measure.fold)}) AS BIGINT)`;
    case "sum":
      return `fsum(${column("sum")})`;
    case "avg":
      return `fsum(${column("sum")}) / sum(${column("count")})`;
    case "stddev_pop": {
      const [count, mean, deviation] = [column("count"), column("avg"), column("stddev_pop")];
      return `sqrt(fsum(${count} * (${deviation} * ${deviation} + (${mean} - period_mean) * (${mean} - period_mean))) / sum(${count}))`;
    }
    case "day_count":
      return "count(*)";
    case "mean_of_daily":
      return `fsum(${sqlName(measure.of)}) / count(${sqlName(measure.of)})`;
    case "sum_per_day":
      return `fsum(${column("sum")}) / count(*)`;
    case "first":
    case "last":
      throw new Error(`${measure.fold} needs rows: it cannot stand in a ${measure.column} of periods`);
  }
}

/**
 * The rollup's table rows, in its column order, from period rows and a relation `bounds` (period_start, zone,
 * window_start, window_end).
 */
export function tableRowsSql(rollup: RollupDefinition, rows: string, bounds: string, updatedAtUs: number): string {
  const period = rollup.periodColumns;
  const date = `r.${periodStart}`;
  const calendar: Record<string, string> = {
    [period.start]: `CAST(${date} AS VARCHAR)`,
    [period.windowStart]: "b.window_start",
    [period.windowEnd]: "b.window_end",
    [period.timezone]: `r.${zoneColumn}`,
    [period.updatedAt]: `make_timestamptz(${updatedAtUs})`,
  };
  if (period.end) calendar[period.end] = `CAST(${lastDayOfPeriodSql(rollup, date)} AS VARCHAR)`;
  if (period.year) calendar[period.year] = `CAST(${rollup.period === "week" ? "isoyear" : "year"}(${date}) AS BIGINT)`;
  if (period.number)
    calendar[period.number] = `CAST(${rollup.period === "week" ? "week" : "month"}(${date}) AS BIGINT)`;
  const columns = rollup.table.columns.map(
    (column) => `${calendar[column.name] ?? `r.${sqlName(column.name)}`} AS ${sqlName(column.name)}`,
  );
  return `SELECT ${columns.join(", ")} FROM ${rows} r JOIN ${bounds} b ON r.${periodStart} = b.${periodStart} AND r.${zoneColumn} = b.zone`;
}

/** Day rows (as `dayRowsSql` makes them) from a relation over the daily rollup's own table. */
export function dayRowsOfTableSql(dataset: Dataset, relation: string): string {
  const daily = dailyRollup(dataset);
  const measures = daily.measures.map((measure) => sqlName(measure.column));
  return `SELECT ${dimensionList(dataset)}, CAST(${sqlName(daily.periodColumns.start)} AS DATE) AS ${periodStart},
      ${sqlName(daily.periodColumns.timezone)} AS ${zoneColumn}, ${measures.join(", ")} FROM ${relation}`;
}

/** Identity columns of the rollup's table from windows (dimensions, period_start). */
export function windowKeysSql(rollup: RollupDefinition, windows: string): string {
  const columns = rollup.table.identity.map((name) =>
    name === rollup.periodColumns.start ? `CAST(${periodStart} AS VARCHAR) AS ${sqlName(name)}` : sqlName(name),
  );
  return `SELECT ${columns.join(", ")} FROM ${windows}`;
}

export function columnNames(definition: TableDefinition): string[] {
  return definition.columns.map((column) => column.name);
}
