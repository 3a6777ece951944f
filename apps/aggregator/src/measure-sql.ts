/**
 * SQL text of single measures: of a day from rows of raw, of a week or month from days.
 */
import { columnTypeOf, type Dataset, type MeasureDefinition, type RollupDefinition } from "@firn/core";
import { sqlName } from "@firn/lake";
import type { DayMeasure } from "./day-measures.ts";

/** The measure of days that a fold of a column of raw is. */
export type FindDayMeasure = (fold: DayMeasure["fold"], of: string) => DayMeasure;

/** A measure over the rows of a day; an aggregate. */
export function dayMeasureSql(dataset: Dataset, measure: DayMeasure): string {
  const value = sqlName(measure.of);
  const order = `ROW(${dataset.eventOrder.map(sqlName).join(", ")})`;
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
    case "stddev_pop": {
      const [count, mean, deviation, whole] = [column("count"), column("avg"), column("stddev_pop"), meanName(of)];
      return `sqrt(fsum(${count} * (${deviation} * ${deviation} + (${mean} - ${whole}) * (${mean} - ${whole}))) / sum(${count}))`;
    }
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

/** The period's mean of every column whose deviation is asked for, as further columns of day rows. */
export function periodMeansSql(rollup: RollupDefinition, dayMeasure: FindDayMeasure, keys: string): string {
  const spread = rollup.measures.filter((measure) => measure.fold === "stddev_pop").map((measure) => measure.of);
  return [...new Set(spread)]
    .map((of) => {
      const [sum, count] = [sqlName(dayMeasure("sum", of).column), sqlName(dayMeasure("count", of).column)];
      return `, fsum(${sum}) OVER (PARTITION BY ${keys}) / sum(${count}) OVER (PARTITION BY ${keys}) AS ${meanName(of)}`;
    })
    .join("");
}

const meanName = (of: string) => sqlName(`period mean of ${of}`);

/** Whole numbers add up exactly, doubles with compensation. */
function sumSql(dataset: Dataset, of: string, value: string): string {
  const type = columnTypeOf(dataset.raw, of);
  return type === "long" || type === "int" ? `CAST(sum(${value}) AS BIGINT)` : `fsum(${value})`;
}
