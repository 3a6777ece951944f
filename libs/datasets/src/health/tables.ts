import type { ColumnDefinition, PartitionFieldDefinition, TableDefinition } from "@firn/core";

import { errorsTable } from "../errors-table.ts";
import { optional, partitionField as field, required } from "../table-columns.ts";
import { tableProperties } from "../table-properties.ts";

/** Names and partitioning that a site may choose; what is absent is the default. */
export interface HealthTableOptions {
  readonly namespace?: string;
  readonly rawTable?: string;
  readonly errorsTable?: string;
  readonly aggregates?: AggregatePartitioning;
}

/**
 * `bucket`: bucket(user) and the period cut to a month (days) or a year (weeks, months), so that one user's question
 * opens a handful of files. `reference`: identity partitions by user, period and type, one small file a row.
 */
export type AggregatePartitioning =
  | { readonly kind: "bucket"; readonly buckets?: number; readonly dailyWidth?: number; readonly periodWidth?: number }
  | { readonly kind: "reference" };

const DEFAULT_BUCKETS = 8;
const WIDTH_OF_MONTH = "YYYY-MM".length;
const WIDTH_OF_YEAR = "YYYY".length;

const PROPERTIES = tableProperties(
  { codec: "snappy", targetFileMb: 256 },
  {
    "write.parquet.page-size-bytes": String(1024 * 1024),
    "commit.retry.min-wait-ms": "100",
    "commit.retry.max-wait-ms": "60000",
    "commit.retry.total-timeout-ms": "1800000",
  },
);

/**
 * A question for one user reads a few rows of an aggregate: small row groups (Firn's own property) let it leave out
 * more of the file.
 */
const AGGREGATE_PROPERTIES: Readonly<Record<string, string>> = {
  ...PROPERTIES,
  "firn.parquet.row-group-rows": String(16 * 1024),
};

export interface HealthTables {
  readonly raw: TableDefinition;
  readonly errors: TableDefinition;
  readonly daily: TableDefinition;
  readonly weekly: TableDefinition;
  readonly monthly: TableDefinition;
}

/** @throws RangeError when two tables would have one name */
export function healthTables(options: HealthTableOptions = {}): HealthTables {
  const namespace = options.namespace ?? "health_db";
  const aggregates = options.aggregates ?? { kind: "bucket" };
  const tables = {
    raw: rawTable(namespace, options.rawTable ?? "health_data_raw"),
    errors: errorsTable(namespace, options.errorsTable ?? "health_data_errors", PROPERTIES),
    daily: dailyTable(namespace, aggregates),
    weekly: weeklyTable(namespace, aggregates),
    monthly: monthlyTable(namespace, aggregates),
  };
  const names = Object.values(tables).map(({ name }) => name);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) throw new RangeError(`${namespace}.${double} stands for two tables of the health lake`);
  return tables;
}

function rawTable(namespace: string, name: string): TableDefinition {
  return {
    namespace,
    name,
    columns: [
      required("device_id", "string", "device that sent the sample"),
      required("user_id", "string", "person that the sample is of"),
      required("sample_id", "string", "the sample's own id, unique for its user"),
      required("data_type", "string", "canonical name of what was measured"),
      required("value", "double", "measured value in `unit`"),
      required("unit", "string", "canonical unit of the data type"),
      required("start_date", "timestamptz", "instant at which the measurement began"),
      required("end_date", "timestamptz", "instant at which the measurement ended"),
      optional("source_bundle", "string", "app that recorded the sample"),
      optional("metadata", "map<string,string>", "what the recorder attached"),
      required("is_synced", "boolean", "sync flag of the phone"),
      required("created_at", "timestamptz", "when the phone created the record"),
      required("payload_timestamp", "timestamptz", "when the phone built the payload"),
      required("app_version", "string", "version of the phone's app"),
      required("processing_time", "timestamptz", "when the sample was validated"),
      optional("timezone", "string", "IANA zone of the phone at the sync"),
      optional("timezone_offset", "int", "minutes east of UTC of the phone at the sync"),
      optional("local_date", "date", "calendar date of start_date in the zone of the measurement"),
    ],
    identity: ["user_id", "sample_id"],
    partition: [field("start_date", "day", "start_date_day"), field("data_type", "identity", "data_type")],
    sort: ["user_id", "start_date", "sample_id"],
    properties: PROPERTIES,
  };
}

const WINDOW: readonly ColumnDefinition[] = [
  required("window_start", "timestamptz", "instant at which the period starts in `timezone`"),
  required("window_end", "timestamptz", "instant at which the period ends, exclusive"),
  required("min_value", "double"),
  required("max_value", "double"),
  required("avg_value", "double", "sum_value / count"),
  required("sum_value", "double"),
  required("count", "long", "values in the window"),
  required("stddev_value", "double", "population standard deviation"),
];

const TAIL: readonly ColumnDefinition[] = [
  required("record_count", "long", "rows aggregated"),
  required("updated_at", "timestamptz", "when the row was computed"),
];

const ZONE = optional("timezone", "string", "zone of the window's latest sample, in which the window is bounded");

const OVER_DAYS: readonly ColumnDefinition[] = [
  ZONE,
  optional("day_count", "long", "days with data"),
  optional("daily_avg_of_sum", "double", "sum_value / day_count"),
];

const DIMENSIONS: readonly ColumnDefinition[] = [required("user_id", "string"), required("data_type", "string")];

function dailyTable(namespace: string, partitioning: AggregatePartitioning): TableDefinition {
  return {
    namespace,
    name: "health_data_daily_agg",
    columns: [
      ...DIMENSIONS,
      required("aggregation_date", "string", "local date, YYYY-MM-DD"),
      ...WINDOW,
      optional("first_value", "double", "value of the earliest sample"),
      optional("last_value", "double", "value of the latest sample"),
      ...TAIL,
      ZONE,
    ],
    identity: ["user_id", "data_type", "aggregation_date"],
    partition:
      partitioning.kind === "bucket"
        ? bucketed(partitioning, "aggregation_date", partitioning.dailyWidth ?? WIDTH_OF_MONTH)
        : identities("user_id", "aggregation_date", "data_type"),
    sort: ["user_id", "data_type", "aggregation_date"],
    properties: AGGREGATE_PROPERTIES,
  };
}

function weeklyTable(namespace: string, partitioning: AggregatePartitioning): TableDefinition {
  return {
    namespace,
    name: "health_data_weekly_agg",
    columns: [
      ...DIMENSIONS,
      required("week_start_date", "string", "Monday, YYYY-MM-DD"),
      required("week_end_date", "string", "Sunday, YYYY-MM-DD"),
      required("year", "long", "ISO 8601 week year"),
      required("week_of_year", "long", "ISO 8601 week, 1–53"),
      ...WINDOW,
      optional("daily_avg_of_avg", "double", "mean of the daily averages of the days with data"),
      ...TAIL,
      ...OVER_DAYS,
    ],
    identity: ["user_id", "data_type", "week_start_date"],
    partition:
      partitioning.kind === "bucket"
        ? bucketed(partitioning, "week_start_date", partitioning.periodWidth ?? WIDTH_OF_YEAR)
        : identities("user_id", "year", "week_of_year", "data_type"),
    sort: ["user_id", "data_type", "week_start_date"],
    properties: AGGREGATE_PROPERTIES,
  };
}

function monthlyTable(namespace: string, partitioning: AggregatePartitioning): TableDefinition {
  return {
    namespace,
    name: "health_data_monthly_agg",
    columns: [
      ...DIMENSIONS,
      required("year", "long"),
      required("month", "long", "1–12"),
      required("month_start_date", "string", "first day, YYYY-MM-DD"),
      required("month_end_date", "string", "last day, YYYY-MM-DD"),
      ...WINDOW,
      optional("daily_avg_of_avg", "double", "mean of the daily averages of the days with data"),
      ...TAIL,
      ...OVER_DAYS,
    ],
    identity: ["user_id", "data_type", "month_start_date"],
    partition:
      partitioning.kind === "bucket"
        ? bucketed(partitioning, "month_start_date", partitioning.periodWidth ?? WIDTH_OF_YEAR)
        : identities("user_id", "year", "month", "data_type"),
    sort: ["user_id", "data_type", "month_start_date"],
    properties: AGGREGATE_PROPERTIES,
  };
}

function bucketed(
  partitioning: Extract<AggregatePartitioning, { kind: "bucket" }>,
  period: string,
  width: number,
): PartitionFieldDefinition[] {
  return [
    field("user_id", `bucket[${partitioning.buckets ?? DEFAULT_BUCKETS}]`, "user_id_bucket"),
    field(period, `truncate[${width}]`, `${period}_trunc`),
  ];
}

function identities(...columns: readonly string[]): PartitionFieldDefinition[] {
  return columns.map((column) => field(column, "identity", column));
}
