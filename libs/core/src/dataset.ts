import type { ColumnRows } from "./column-batch.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { PayloadEncoding, PayloadOrigin } from "./intake-frame.ts";

/**
 * What a dataset is: its tables, the identity and content of its records, its rollups and its rules. Everything else
 * (streams, Iceberg schemas, SQL of the aggregates, API columns) derives from these values.
 */

/** Iceberg primitive types plus the one nested type in use; `timestamptz` is an instant in microseconds UTC. */
export type ColumnType =
  "string" | "boolean" | "int" | "long" | "float" | "double" | "date" | "timestamptz" | "map<string,string>";

export interface ColumnDefinition {
  readonly name: string;
  readonly type: ColumnType;
  readonly required: boolean;
  readonly doc?: string;
}

export type PartitionTransform =
  "identity" | "hour" | "day" | "month" | "year" | `bucket[${number}]` | `truncate[${number}]`;

export interface PartitionFieldDefinition {
  readonly source: string;
  readonly transform: PartitionTransform;
  readonly name: string;
}

/**
 * An Iceberg table as this product wants it. Field ids are 1..n over the columns in order, then the key and value of
 * each map; readers take ids from the table that came back from the catalog, never from here.
 */
export interface TableDefinition {
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly ColumnDefinition[];
  /** Columns that name a row (Iceberg identifier fields); always required columns. */
  readonly identity: readonly string[];
  readonly partition: readonly PartitionFieldDefinition[];
  readonly sort: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * How a measure folds the rows of its window. `record_count` counts rows, `count` counts values; `first` and `last` are
 * by event order; `mean_of_daily` is the mean over days with data of the day's `of` column, `sum_per_day` is the sum
 * divided by the days with data, `day_count` those days.
 */
export type MeasureFold =
  | "min"
  | "max"
  | "avg"
  | "sum"
  | "count"
  | "stddev_pop"
  | "first"
  | "last"
  | "record_count"
  | "day_count"
  | "mean_of_daily"
  | "sum_per_day";

export interface MeasureDefinition {
  readonly column: string;
  readonly fold: MeasureFold;
  /** Column of raw that is folded; for `mean_of_daily` the column of the daily rollup. */
  readonly of: string;
}

/** Columns of a rollup that say which period a row is of. `start` and `end` are local dates as YYYY-MM-DD. */
export interface PeriodColumns {
  readonly start: string;
  readonly end?: string;
  readonly year?: string;
  /** ISO week of the ISO year, or month 1–12. */
  readonly number?: string;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly timezone: string;
  readonly updatedAt: string;
}

export interface RollupDefinition {
  readonly name: string;
  readonly period: "day" | "week" | "month";
  readonly table: TableDefinition;
  readonly dimensions: readonly string[];
  readonly periodColumns: PeriodColumns;
  readonly measures: readonly MeasureDefinition[];
}

/** The columns of raw that windows are made from. */
export interface EventTimeColumns {
  /** Local civil date of the event in its own zone. */
  readonly localDate: string;
  /** Zone name as sent, offset in minutes, and the map that may hold the zone of the measurement under `zoneKey`. */
  readonly timezone: string;
  readonly timezoneOffset: string;
  readonly zoneMap: string;
  readonly zoneKey: string;
}

export interface EnvelopeProblem {
  readonly field: string;
  readonly rule: string;
  readonly message: string;
}

export type EnvelopeCheck =
  | { readonly ok: true; readonly shardKey: string; readonly records: number }
  | { readonly ok: false; readonly problems: readonly EnvelopeProblem[] };

export interface ValidationOptions {
  /** Unknown types and units are dead letters when true (the default everywhere), warnings otherwise. */
  readonly strict: boolean;
  /** Zone of samples that name none. */
  readonly defaultZone: string;
}

/** One payload as it came out of the log, with where it lay. */
export interface PayloadInput {
  readonly bytes: Uint8Array;
  readonly encoding: PayloadEncoding;
  readonly receivedAtUs: number;
  readonly origin: PayloadOrigin;
  readonly subject: string;
  readonly shard: number;
  readonly sequence: number;
}

/** What a run of payloads became. `received` = accepted + rejected. */
export interface ValidatedRun {
  readonly rows: ColumnRows;
  readonly rejected: readonly DeadLetter[];
  readonly received: number;
  readonly warnings: ReadonlyMap<string, number>;
}

/** Collects payloads into one run; `add` never throws on bad input, and a throw leaves the run unusable. */
export interface ValidationRun {
  add(payload: PayloadInput): void;
  finish(): ValidatedRun;
}

export interface Dataset {
  readonly name: string;
  readonly namespace: string;
  readonly raw: TableDefinition;
  readonly errors: TableDefinition;
  readonly rollups: readonly RollupDefinition[];
  /** Columns of raw that name a record, compared byte by byte. */
  readonly identity: readonly string[];
  /** Columns of raw whose equality makes a repeat a duplicate rather than a correction. */
  readonly content: readonly string[];
  /** Column of raw with the instant of the event, and the order of events within a window. */
  readonly eventTime: string;
  readonly eventOrder: readonly string[];
  readonly time: EventTimeColumns;
  /** Checks the parsed payload's outer shape: enough to find its shard, nothing of its records. */
  checkEnvelope(parsed: unknown): EnvelopeCheck;
  /** Begins a run; `processedAtUs` becomes the processing and error time of its records. */
  beginRun(options: ValidationOptions, processedAtUs: number): ValidationRun;
}

/** Every table of a dataset: raw, errors, and those of the rollups. */
export function tablesOf({ raw, errors, rollups }: Pick<Dataset, "raw" | "errors" | "rollups">): TableDefinition[] {
  return [raw, errors, ...rollups.map((rollup) => rollup.table)];
}
