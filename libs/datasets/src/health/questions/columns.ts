import type { AnswerColumn } from "@firn/core";

/** Columns of the answers, written out so that the client knows their types; a test compares them with the tables'. */

const keyColumns = [
  { name: "user_id", type: "string" },
  { name: "data_type", type: "string" },
] as const satisfies readonly AnswerColumn[];

const windowColumns = [
  { name: "window_start", type: "timestamptz", doc: "Instant at which the period starts." },
  { name: "window_end", type: "timestamptz", doc: "Instant at which it ends, exclusive." },
  { name: "min_value", type: "double" },
  { name: "max_value", type: "double" },
  { name: "avg_value", type: "double" },
  { name: "sum_value", type: "double" },
  { name: "count", type: "long" },
  { name: "stddev_value", type: "double", doc: "Population standard deviation." },
] as const satisfies readonly AnswerColumn[];

export const DAILY_COLUMNS = [
  ...keyColumns,
  { name: "aggregation_date", type: "string" },
  ...windowColumns,
  { name: "first_value", type: "double", optional: true },
  { name: "last_value", type: "double", optional: true },
  { name: "record_count", type: "long" },
  { name: "updated_at", type: "timestamptz" },
  { name: "timezone", type: "string", optional: true },
] as const satisfies readonly AnswerColumn[];

const periodMeasureColumns = [
  {
    name: "daily_avg_of_avg",
    type: "double",
    optional: true,
    doc: "Mean of the daily averages of the days that have data.",
  },
  { name: "record_count", type: "long" },
  { name: "updated_at", type: "timestamptz" },
  { name: "timezone", type: "string", optional: true },
  { name: "day_count", type: "long", optional: true, doc: "Days that have data." },
  {
    name: "daily_avg_of_sum",
    type: "double",
    optional: true,
    doc: "sum_value / day_count: average daily steps, for example.",
  },
] as const satisfies readonly AnswerColumn[];

export const WEEKLY_COLUMNS = [
  ...keyColumns,
  { name: "week_start_date", type: "string", doc: "Monday." },
  { name: "week_end_date", type: "string", doc: "Sunday." },
  { name: "year", type: "long", doc: "ISO year of the week." },
  { name: "week_of_year", type: "long" },
  ...windowColumns,
  ...periodMeasureColumns,
] as const satisfies readonly AnswerColumn[];

export const MONTHLY_COLUMNS = [
  ...keyColumns,
  { name: "year", type: "long" },
  { name: "month", type: "long" },
  { name: "month_start_date", type: "string" },
  { name: "month_end_date", type: "string" },
  ...windowColumns,
  ...periodMeasureColumns,
] as const satisfies readonly AnswerColumn[];

export const RAW_COLUMNS = [
  { name: "device_id", type: "string" },
  { name: "user_id", type: "string" },
  { name: "sample_id", type: "string" },
  { name: "data_type", type: "string" },
  { name: "value", type: "double" },
  { name: "unit", type: "string" },
  { name: "start_date", type: "timestamptz" },
  { name: "end_date", type: "timestamptz" },
  { name: "source_bundle", type: "string", optional: true },
  { name: "metadata", type: "map<string,string>", optional: true },
  { name: "is_synced", type: "boolean" },
  { name: "created_at", type: "timestamptz" },
  { name: "payload_timestamp", type: "timestamptz" },
  { name: "app_version", type: "string" },
  { name: "processing_time", type: "timestamptz" },
  { name: "timezone", type: "string", optional: true },
  { name: "timezone_offset", type: "int", optional: true, doc: "Minutes east of UTC." },
  { name: "local_date", type: "date", optional: true },
] as const satisfies readonly AnswerColumn[];
