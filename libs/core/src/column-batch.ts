import { JsonBytes } from "./json-bytes.ts";
import { refuseNewer, versionOfJson } from "./newer-format.ts";

/**
 * A batch of rows as columns: what the validator hands to the writer. As JSON
 * `{"v":1,"dataset":"health","rows":n,"c.user_id":[…],…}`, one array per column of the raw table (its name behind
 * `c.`), all of length n, in arrival order. The arrays stand at the top level because DuckDB reads them there five
 * times as fast as inside an object. Timestamps are integer microseconds since the epoch (UTC), dates integer days since
 * 1970-01-01, maps objects of strings, absent optional values null. The column `_op` is 0 for a record and 1 for a
 * tombstone, of which only the identity columns are set (the others are null).
 */
export interface ColumnBatch {
  readonly v: 1;
  readonly dataset: string;
  readonly rows: number;
  readonly columns: Readonly<Record<string, readonly ColumnValue[]>>;
}

export type ColumnValue = string | number | boolean | null | Readonly<Record<string, string>>;

export const OP_COLUMN = "_op";
export const OP_RECORD = 0;
export const OP_TOMBSTONE = 1;

/** Columns being filled; every array has `rows` values. */
export interface ColumnRows {
  readonly rows: number;
  readonly columns: Readonly<Record<string, readonly ColumnValue[]>>;
}

/** Prefix of the keys that hold columns. */
export const COLUMN_PREFIX = "c.";

export const COLUMN_BATCH_VERSION = 1;

/** A row of events has about so many bytes. */
const ROW_BYTES = 560;

export function encodeColumnBatch(dataset: string, rows: ColumnRows): Uint8Array {
  const json = new JsonBytes(rows.rows * ROW_BYTES);
  json.raw('{"v":1,"dataset":');
  json.value(dataset);
  json.raw(`,"rows":${rows.rows}`);
  for (const [name, values] of Object.entries(rows.columns)) {
    json.raw(",");
    json.value(COLUMN_PREFIX + name);
    json.raw(":");
    json.array(values);
  }
  json.raw("}");
  return json.finish();
}

/** For readers that do not decode it here. @throws NewerFormat */
export function refuseNewerColumnBatch(bytes: Uint8Array): void {
  refuseNewer("a column batch", versionOfJson(bytes), COLUMN_BATCH_VERSION);
}

/** @throws NewerFormat @throws SyntaxError when the bytes are not a column batch of version 1 with columns of equal length. */
export function decodeColumnBatch(bytes: Uint8Array): ColumnBatch {
  refuseNewerColumnBatch(bytes);
  const message = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
  ) as Partial<ColumnBatch> & Record<string, unknown>;
  const { v, dataset, rows } = message;
  if (v !== 1 || typeof dataset !== "string" || typeof rows !== "number") {
    throw new SyntaxError("not a column batch of version 1");
  }
  const columns: Record<string, readonly ColumnValue[]> = {};
  for (const [key, values] of Object.entries(message)) {
    if (!key.startsWith(COLUMN_PREFIX)) continue;
    const name = key.slice(COLUMN_PREFIX.length);
    if (!Array.isArray(values) || values.length !== rows) {
      throw new SyntaxError(`column batch: column ${name} has not ${rows} values`);
    }
    columns[name] = values as ColumnValue[];
  }
  return { v, dataset, rows, columns };
}

/** The rows from `from` (inclusive) to `to` (exclusive) of the same columns. */
export function sliceColumnRows(rows: ColumnRows, from: number, to: number): ColumnRows {
  const columns: Record<string, readonly ColumnValue[]> = {};
  for (const [name, values] of Object.entries(rows.columns)) columns[name] = values.slice(from, to);
  return { rows: Math.max(0, Math.min(to, rows.rows) - from), columns };
}
