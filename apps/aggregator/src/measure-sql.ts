/**
 * SQL text of single measures: of a day from rows of raw, of a week or month from days.
 */
import { columnTypeOf, type Dataset, type DayMeasure, type MeasureDefinition } from "@firn/core";
import { sqlName } from "@firn/lake";

/** The measure of days that a fold of a column of raw is. */
export type FindDayMeasure = (fold: DayMeasure["fold"], of: string) => DayMeasure;

/** What rows of raw are ordered by. */
export function eventOrderSql({ eventOrder }: Dataset): string {
  return `ROW(${eventOrder.map(sqlName).join(", ")})`;
}

/** A measure over the rows of a day; an aggregate. `order` decides which one is first and last. */
export function dayMeasureSql(dataset: Dataset, measure: DayMeasure, order: string = eventOrderSql(dataset)): string {
  const value = sqlName(measure.of);
  switch (measure.fold) {
    case "min":
    case "max":
    case "count":
      return `${measure.fold}(${value})`;
    case "sum":
      return sumSql(dataset, measure.of, value);
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

/** A measure over the days of a week or month; an aggregate. */
export function periodMeasureSql(dataset: Dataset, measure: MeasureDefinition, dayMeasure: FindDayMeasure): string {
  const { fold, of } = measure;
  const column = (dayFold: DayMeasure["fold"]) => sqlName(dayMeasure(dayFold, of).column);
  switch (fold) {
    case "min":
    case "max":
      return `${fold}(${column(fold)})`;
    case "count":
    case "record_count":
      return `CAST(sum(${column(fold)}) AS BIGINT)`;
    case "sum":
      return sumSql(dataset, of, column("sum"));
    case "avg":
      return `fsum(${column("sum")}) / sum(${column("count")})`;
    case "stddev_pop":
      return quickDeviationSql(of, dayMeasure);
    case "day_count":
      return "count(*)";
    case "mean_of_daily":
      return `fsum(${sqlName(of)}) / count(${sqlName(of)})`;
    case "sum_per_day":
      return `fsum(${column("sum")}) / count(*)`;
    case "first":
    case "last":
      throw new Error(`${fold} needs rows: it cannot stand in a ${measure.column} of periods`);
  }
}

/**
 * The variance as mean of squares less square of the mean has an error of some 1e-15 of the mean's square: right to
 * 1e-11 of the mean where it is this part of the square or more.
 */
const quickVarianceMin = 1e-8;

/** Deviation of a period in one pass over its days; null where the days' own means must be compared with the whole's. */
function quickDeviationSql(of: string, dayMeasure: FindDayMeasure): string {
  const { count, deviation, mean, sum } = columnsOf(of, dayMeasure);
  const whole = `(fsum(${sum}) / sum(${count}))`;
  const squares = `fsum(${count} * (${deviation} * ${deviation} + ${mean} * ${mean})) / sum(${count})`;
  const variance = `(${squares} - ${whole} * ${whole})`;
  return `CASE WHEN count(*) = 1 THEN max(${deviation})
    WHEN isfinite(${variance}) AND ${variance} >= ${quickVarianceMin} * ${whole} * ${whole} AND ${variance} > 0 THEN sqrt(${variance}) END`;
}

/** The same by Chan's formula, right for any values, from day rows with `periodMeanSql` as a further column. */
export function exactDeviationSql(of: string, dayMeasure: FindDayMeasure): string {
  const { count, deviation, mean } = columnsOf(of, dayMeasure);
  const apart = `(${mean} - period_mean)`;
  return `sqrt(fsum(${count} * (${deviation} * ${deviation} + ${apart} * ${apart})) / sum(${count}))`;
}

/** The period's mean of a column as `period_mean`, over day rows partitioned by the period's keys. */
export function periodMeanSql(of: string, dayMeasure: FindDayMeasure, keys: string): string {
  const { count, sum } = columnsOf(of, dayMeasure);
  return `fsum(${sum}) OVER (PARTITION BY ${keys}) / sum(${count}) OVER (PARTITION BY ${keys}) AS period_mean`;
}

function columnsOf(of: string, dayMeasure: FindDayMeasure) {
  const column = (fold: DayMeasure["fold"]) => sqlName(dayMeasure(fold, of).column);
  return { count: column("count"), deviation: column("stddev_pop"), mean: column("avg"), sum: column("sum") };
}

/** Whole numbers add up exactly, doubles with compensation. */
function sumSql(dataset: Dataset, of: string, value: string): string {
  const type = columnTypeOf(dataset.raw, of);
  return type === "long" || type === "int" ? `CAST(sum(${value}) AS BIGINT)` : `fsum(${value})`;
}
