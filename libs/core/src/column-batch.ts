import { findDictionary } from "./column-dictionary.ts";
import { JsonBytes } from "./json-bytes.ts";
import { refuseNewer, versionOfJson } from "./newer-format.ts";

/**
 * A batch of rows as columns: what the validator hands to the writer. As JSON
 * `{"v":1,"dataset":"health","rows":n,"c.user_id":[…],…}`, one array per column of the raw table (its name behind
 * `c.`), all of length n, in arrival order. The arrays stand at the top level because DuckDB reads them there five
 * times as fast as inside an object. Timestamps are integer microseconds since the epoch (UTC), dates integer days since
 * 1970-01-01, maps objects of strings, absent optional values null. The column `_op` is 0 for a record and 1 for a
 * tombstone, of which only the identity columns are set (the others are null).
 *
 * Version 2 has columns of few values as a dictionary: in place of `c.unit` stand `d.unit`, the values, and `i.unit`,
 * the place in it (from 0) of each row's value: of health samples 132 instead of 305 bytes. Readers take both versions;
 * a batch without a dictionary is written as version 1.
 */
export interface ColumnBatch {
  readonly v: 1 | 2;
  readonly dataset: string;
  readonly rows: number;
  readonly columns: Readonly<Record<string, readonly ColumnValue[]>>;
}

export type ColumnValue = string | number | boolean | null | Readonly<Record<string, string>>;

/** The column that says what a row is: `OP_RECORD` or `OP_TOMBSTONE`. */
export const OP_COLUMN = "_op";
export const OP_RECORD = 0;
export const OP_TOMBSTONE = 1;

/** Columns being filled; every array has `rows` values. */
export interface ColumnRows {
  readonly rows: number;
  readonly columns: Readonly<Record<string, readonly ColumnValue[]>>;
}

/** Prefix of the keys that hold columns value by value. */
export const COLUMN_PREFIX = "c.";
/** Prefixes of the keys that hold a column's distinct values, and each row's place among them. */
export const DICTIONARY_PREFIX = "d.";
/** Of the places in a dictionary. */
export const INDEX_PREFIX = "i.";

/** The newest version; all up to it are read. */
const COLUMN_BATCH_VERSION = 2;

/** A row of events has about so many bytes. */
const ROW_BYTES = 200;

/** The message of a batch: version 2 where a column is worth a dictionary, else 1. Every column has `rows` values. */
export function encodeColumnBatch(dataset: string, rows: ColumnRows): Uint8Array {
  const json = new JsonBytes(rows.rows * ROW_BYTES);
  const columns = Object.entries(rows.columns).map(([name, values]) => ({ name, values, few: findDictionary(values) }));
  json.raw(`{"v":${columns.some(({ few }) => few) ? 2 : 1},"dataset":`);
  json.value(dataset);
  json.raw(`,"rows":${rows.rows}`);
  for (const { name, values, few } of columns) {
    if (few === undefined) writeMember(json, COLUMN_PREFIX + name, values);
    else {
      writeMember(json, DICTIONARY_PREFIX + name, few.values);
      writeMember(json, INDEX_PREFIX + name, few.indexes);
    }
  }
  json.raw("}");
  return json.finish();
}

function writeMember(json: JsonBytes, key: string, values: ArrayLike<ColumnValue>): void {
  json.raw(",");
  json.value(key);
  json.raw(":");
  json.array(values);
}

/** For readers that do not decode it here. @throws NewerFormat */
export function refuseNewerColumnBatch(bytes: Uint8Array): void {
  refuseNewer("a column batch", versionOfJson(bytes), COLUMN_BATCH_VERSION);
}

/** @throws NewerFormat @throws SyntaxError when the bytes are not a column batch with columns of equal length. */
export function decodeColumnBatch(bytes: Uint8Array): ColumnBatch {
  refuseNewerColumnBatch(bytes);
  const message = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
  ) as Partial<ColumnBatch> & Record<string, unknown>;
  const { v, dataset, rows } = message;
  if ((v !== 1 && v !== 2) || typeof dataset !== "string" || typeof rows !== "number") {
    throw new SyntaxError("not a column batch of version 1 or 2");
  }
  const columns: Record<string, readonly ColumnValue[]> = {};
  for (const [key, values] of Object.entries(message)) {
    const isPlain = key.startsWith(COLUMN_PREFIX);
    if (!isPlain && !key.startsWith(INDEX_PREFIX)) continue;
    const name = key.slice(COLUMN_PREFIX.length);
    if (!Array.isArray(values) || values.length !== rows) {
      throw new SyntaxError(`column batch: column ${name} has not ${rows} values`);
    }
    columns[name] = isPlain ? (values as ColumnValue[]) : lookedUp(name, values, message[DICTIONARY_PREFIX + name]);
  }
  return { v, dataset, rows, columns };
}

function lookedUp(name: string, indexes: readonly unknown[], dictionary: unknown): ColumnValue[] {
  return indexes.map((index) => {
    const value = Array.isArray(dictionary) ? (dictionary as ColumnValue[])[index as number] : undefined;
    if (value === undefined) throw new SyntaxError(`column batch: column ${name} has no value ${String(index)}`);
    return value;
  });
}

/** The rows from `from` (inclusive) to `to` (exclusive) of the same columns. */
export function sliceColumnRows(rows: ColumnRows, from: number, to: number): ColumnRows {
  const columns: Record<string, readonly ColumnValue[]> = {};
  for (const [name, values] of Object.entries(rows.columns)) columns[name] = values.slice(from, to);
  return { rows: Math.max(0, Math.min(to, rows.rows) - from), columns };
}
