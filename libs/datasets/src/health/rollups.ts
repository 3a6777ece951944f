import type { MeasureDefinition, RollupDefinition } from "@firn/core";

import type { HealthTables } from "./tables.ts";

const OVER_WINDOW: readonly MeasureDefinition[] = [
  { column: "min_value", fold: "min", of: "value" },
  { column: "max_value", fold: "max", of: "value" },
  { column: "avg_value", fold: "avg", of: "value" },
  { column: "sum_value", fold: "sum", of: "value" },
  { column: "count", fold: "count", of: "value" },
  { column: "stddev_value", fold: "stddev_pop", of: "value" },
];

const RECORDS: MeasureDefinition = { column: "record_count", fold: "record_count", of: "value" };

const OVER_DAYS: readonly MeasureDefinition[] = [
  ...OVER_WINDOW,
  { column: "daily_avg_of_avg", fold: "mean_of_daily", of: "avg_value" },
  RECORDS,
  { column: "day_count", fold: "day_count", of: "value" },
  { column: "daily_avg_of_sum", fold: "sum_per_day", of: "value" },
];

const BOUNDS = {
  windowStart: "window_start",
  windowEnd: "window_end",
  timezone: "timezone",
  updatedAt: "updated_at",
} as const;

const DIMENSIONS = ["user_id", "data_type"] as const;

/** Day, ISO week and month of start_date in the sample's own zone. */
export function healthRollups(tables: HealthTables): readonly RollupDefinition[] {
  return [
    {
      name: "daily",
      period: "day",
      table: tables.daily,
      dimensions: DIMENSIONS,
      periodColumns: { start: "aggregation_date", ...BOUNDS },
      measures: [
        ...OVER_WINDOW,
        { column: "first_value", fold: "first", of: "value" },
        { column: "last_value", fold: "last", of: "value" },
        RECORDS,
      ],
    },
    {
      name: "weekly",
      period: "week",
      table: tables.weekly,
      dimensions: DIMENSIONS,
      periodColumns: {
        start: "week_start_date",
        end: "week_end_date",
        year: "year",
        number: "week_of_year",
        ...BOUNDS,
      },
      measures: OVER_DAYS,
    },
    {
      name: "monthly",
      period: "month",
      table: tables.monthly,
      dimensions: DIMENSIONS,
      periodColumns: {
        start: "month_start_date",
        end: "month_end_date",
        year: "year",
        number: "month",
        ...BOUNDS,
      },
      measures: OVER_DAYS,
    },
  ];
}
