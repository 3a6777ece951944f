/**
 * What a round computes of each day: the measures of the daily rollup, and those that weeks and months are made from.
 */
import type { Dataset, MeasureDefinition, RollupDefinition } from "./dataset.ts";

export type DayMeasure = MeasureDefinition;

export interface DayRollup {
  readonly dimensions: readonly string[];
  readonly measures: readonly DayMeasure[];
  /**
   * The daily rollup whose table holds all that weeks and months need of a day; without one, a touched week or month is
   * computed from the rows of all of its days.
   */
  readonly published: RollupDefinition | undefined;
}

/** @throws Error when the dataset has no rollups */
export function daysOf(dataset: Dataset): DayRollup {
  const known = cache.get(dataset);
  if (known !== undefined) return known;
  const made = planDays(dataset);
  cache.set(dataset, made);
  return made;
}

const cache = new WeakMap<Dataset, DayRollup>();

function planDays(dataset: Dataset): DayRollup {
  const [first] = dataset.rollups;
  if (first === undefined) throw new Error(`dataset ${dataset.name} has no rollups`);
  const daily = dataset.rollups.find((rollup) => rollup.period === "day");
  const measures: DayMeasure[] = [...(daily?.measures ?? [])];
  for (const rollup of dataset.rollups) {
    if (rollup.period === "day") continue;
    for (const { fold, of } of rollup.measures.flatMap(measuresOfDays))
      if (!measures.some((measure) => isMeasure(measure, fold, of)))
        measures.push({ column: `${fold} of ${of}`, fold, of });
  }
  const isWhole = measures.length === daily?.measures.length;
  const hasZone = dataset.time.zone === undefined || daily?.periodColumns.timezone !== undefined;
  return { dimensions: first.dimensions, measures, published: isWhole && hasZone ? daily : undefined };
}

/** What a measure of a week or month is folded from; `mean_of_daily` names its column of the daily rollup itself. */
function measuresOfDays({ fold, of }: MeasureDefinition): Omit<DayMeasure, "column">[] {
  switch (fold) {
    case "min":
    case "max":
    case "sum":
    case "count":
    case "record_count":
      return [{ fold, of }];
    case "avg":
      return [
        { fold: "sum", of },
        { fold: "count", of },
      ];
    case "stddev_pop":
      return [
        { fold: "sum", of },
        { fold: "count", of },
        { fold: "avg", of },
        { fold: "stddev_pop", of },
      ];
    case "sum_per_day":
      return [{ fold: "sum", of }];
    case "day_count":
    case "mean_of_daily":
      return [];
    case "first":
    case "last":
      throw new Error(`${fold} needs rows: it cannot stand in a rollup of weeks or months`);
  }
}

/** Rows are counted alike whatever column is named. */
const isMeasure = (measure: DayMeasure, fold: DayMeasure["fold"], of: string) =>
  measure.fold === fold && (fold === "record_count" || measure.of === of);

/** The measure of a fold over a column, undefined where the days have none. */
export function findDayMeasure(
  dataset: Dataset,
  measures: readonly DayMeasure[],
  fold: DayMeasure["fold"],
  of: string,
): DayMeasure {
  const measure = measures.find((candidate) => isMeasure(candidate, fold, of));
  if (!measure) throw new Error(`days of ${dataset.name} have no ${fold} of ${of}`);
  return measure;
}
