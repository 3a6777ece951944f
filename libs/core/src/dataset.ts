import type { ColumnRows } from "./column-batch.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { PayloadEncoding, PayloadOrigin } from "./intake-frame.ts";
import type { DatasetQuestion } from "./question-plan.ts";

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
  /**
   * Column of raw that is folded, which may be another one for each measure; for `mean_of_daily` the column of the
   * daily rollup. Sums of whole numbers are exact, sums of doubles compensated.
   */
  readonly of: string;
}

/**
 * Columns of a rollup that say which period a row is of; those that are absent the table has not. `start` and `end` are
 * local dates: columns of type `date`, or strings as YYYY-MM-DD.
 */
export interface PeriodColumns {
  readonly start: string;
  readonly end?: string;
  readonly year?: string;
  /** ISO week of the ISO year, or month 1–12. */
  readonly number?: string;
  /** Instants at which the period starts and (exclusive) ends in its zone. */
  readonly windowStart?: string;
  readonly windowEnd?: string;
  readonly timezone?: string;
  readonly updatedAt?: string;
}

export interface RollupDefinition {
  readonly name: string;
  readonly period: "day" | "week" | "month";
  readonly table: TableDefinition;
  /** Columns of raw, of the same names in the table: strings, whole numbers or dates; all rollups of a dataset alike. */
  readonly dimensions: readonly string[];
  readonly periodColumns: PeriodColumns;
  readonly measures: readonly MeasureDefinition[];
}

/** The columns of raw that windows are made from. */
export interface EventTimeColumns {
  /** Civil date of the event in its own zone, a column of type `date`; of a dataset of plain dates the event itself. */
  readonly localDate: string;
  /** Where the event's zone comes from; absent where no event names one: all are in the lake's default zone. */
  readonly zone?: ZoneColumns;
}

/** An event's zone: the first of these that its row has, else the lake's default. */
export interface ZoneColumns {
  /** Map that may hold the zone of the measurement under `key`. */
  readonly measured?: { readonly map: string; readonly key: string };
  /** Zone name as sent. */
  readonly name?: string;
  /** Minutes east of UTC. */
  readonly offsetMinutes?: string;
}

export interface EnvelopeProblem {
  readonly field: string;
  readonly rule: string;
  readonly message: string;
}

export type EnvelopeCheck = PayloadEnvelope | { readonly ok: false; readonly problems: readonly EnvelopeProblem[] };

export interface PayloadEnvelope {
  readonly ok: true;
  readonly shardKey: string;
  readonly records: number;
  /** Where the records of one payload may belong to several shards: the payload is cut by these (`shardPayload`). */
  readonly byRecord?: RecordKeys;
}

/** The shard key of every item of a payload's member, which is an array; an item without one has "". */
export interface RecordKeys {
  readonly member: string;
  readonly keys: readonly string[];
}

/** A JSON Schema (2020-12), as an OpenAPI document has it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A schema of Avro 1.11 as its JSON. */
export type AvroSchema = Readonly<Record<string, unknown>>;

/** A column of a CSV file. A `number` goes as it is written, a `long` as a text where it is beyond 2^53. */
export interface CsvColumn {
  readonly name: string;
  readonly kind: "text" | "number" | "long";
  /** Whether the file must have it; a field of it may still be empty, which is an absent member. */
  readonly required: boolean;
}

/** How the rows of a CSV file become records: a member for each column, of its name. */
export interface CsvShape {
  readonly columns: readonly CsvColumn[];
  /** The member of the payload, beside the records, that says which file they are from. */
  readonly source?: string;
}

/** What a payload looks like, for those who send some. */
export interface PayloadShape {
  /** The member that holds the records. */
  readonly records: string;
  /** True where `checkEnvelope` asks of the records only how many there are: their places may be empty. */
  readonly countsRecords?: boolean;
  readonly schema: JsonSchema;
  /** What Firn itself writes payloads with where Avro is asked for; others may use any schema with these field names. */
  readonly avro?: AvroSchema;
  /** Absent where a record has no plain form; `firn import` takes files of this shape. */
  readonly csv?: CsvShape;
}

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
  /** Of an Avro payload: the schema that it was written with. */
  readonly writerSchema?: string;
  readonly receivedAtUs: number;
  readonly origin: PayloadOrigin;
  readonly subject: string;
  readonly shard: number;
  readonly sequence: number;
}

/**
 * A column that the writer computes when it commits a row, from the row before it in its series; senders do not give
 * it. `change_from_previous`: `of` over the `of` of the previous row, less 1; null for the first row of a series, where
 * either is null, and where the previous one is 0. A row that comes, changes or goes also recomputes the row after it,
 * in the same commit.
 */
export interface NeighbourColumn {
  readonly column: string;
  readonly kind: "change_from_previous";
  readonly of: string;
  /** Columns of the identity that name a series, and the one (a `date`) that orders it. */
  readonly series: readonly string[];
  readonly order: string;
}

/** A table of records, each of which its identity names: a repeat is dropped, other content is a correction. */
export interface RecordTable {
  readonly definition: TableDefinition;
  /** Columns whose equality makes a repeat a duplicate rather than a correction. */
  readonly content: readonly string[];
  readonly derived?: NeighbourColumn;
}

/** What a run of payloads became. `received` = accepted + rejected. */
export interface ValidatedRun {
  /** Of raw. */
  readonly rows: ColumnRows;
  /** Of the dataset's other tables of records, by the table's name. */
  readonly others?: ReadonlyMap<string, ColumnRows>;
  readonly rejected: readonly DeadLetter[];
  readonly received: number;
  readonly warnings: ReadonlyMap<string, number>;
}

/** Collects payloads into one run; `add` never throws on bad input, and a throw leaves the run unusable. */
export interface ValidationRun {
  add(payload: PayloadInput): void;
  finish(): ValidatedRun;
}

/** A dimension whose values have aliases and units: what kind of thing a record is of. */
export interface RecordKinds {
  readonly column: string;
  /** The name under which the tables hold a kind; one that is not known is its own. */
  canonical(name: string): string;
  /** The unit that its values are stored in; undefined where it has none or is not known. */
  unitOf(name: string): string | undefined;
}

export interface Dataset {
  readonly name: string;
  readonly namespace: string;
  readonly payload: PayloadShape;
  readonly raw: TableDefinition;
  readonly errors: TableDefinition;
  readonly rollups: readonly RollupDefinition[];
  /** Tables of records beside raw, in namespaces of their own; no rollups are made of them. */
  readonly others?: readonly RecordTable[];
  /** Of raw. */
  readonly derived?: NeighbourColumn;
  /** Columns of raw that name a record, compared byte by byte. */
  readonly identity: readonly string[];
  /** Columns of raw whose equality makes a repeat a duplicate rather than a correction. */
  readonly content: readonly string[];
  /** Column of raw with the event's instant (`timestamptz`) or `date`, and the order of events within a window. */
  readonly eventTime: string;
  readonly eventOrder: readonly string[];
  readonly time: EventTimeColumns;
  readonly kinds?: RecordKinds;
  /** Questions of its own, beside those that every dataset answers. */
  readonly questions?: readonly DatasetQuestion[];
  /** Checks the parsed payload's outer shape: enough to find its shard, nothing of its records. */
  checkEnvelope(parsed: unknown): EnvelopeCheck;
  /** Begins a run; `processedAtUs` becomes the processing and error time of its records. */
  beginRun(options: ValidationOptions, processedAtUs: number): ValidationRun;
}

/** The type of a table's column. */
export function columnTypeOf({ name: table, columns }: TableDefinition, name: string): ColumnType {
  const column = columns.find((candidate) => candidate.name === name);
  if (column === undefined) throw new Error(`table ${table} has no column ${name}`);
  return column.type;
}

/** Every table of records of a dataset, raw first. */
export function recordTablesOf(
  dataset: Pick<Dataset, "raw" | "content" | "derived" | "others">,
): readonly RecordTable[] {
  const { raw, content, derived, others = [] } = dataset;
  return [{ definition: raw, content, ...(derived === undefined ? {} : { derived }) }, ...others];
}

/** Every table of a dataset: raw, errors, its other tables of records, and those of the rollups. */
export function tablesOf({
  raw,
  errors,
  others = [],
  rollups,
}: Pick<Dataset, "raw" | "errors" | "others" | "rollups">): TableDefinition[] {
  return [raw, errors, ...others.map((table) => table.definition), ...rollups.map((rollup) => rollup.table)];
}
