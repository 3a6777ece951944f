/**
 * A batch of rows as columns: what the validator hands to the writer. As JSON
 * `{"v":1,"dataset":"health","rows":n,"columns":{"user_id":[…],…}}`, one array per column of the raw table, all of
 * length n, in arrival order. Timestamps are integer microseconds since the epoch (UTC), dates integer days since
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

export function encodeColumnBatch(dataset: string, rows: ColumnRows): Uint8Array {
  const batch: ColumnBatch = { v: 1, dataset, rows: rows.rows, columns: rows.columns };
  return Buffer.from(JSON.stringify(batch), "utf8");
}

/** @throws SyntaxError when the bytes are not a column batch of version 1 with columns of equal length. */
export function decodeColumnBatch(bytes: Uint8Array): ColumnBatch {
  const batch = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
  ) as ColumnBatch;
  if (batch?.v !== 1 || typeof batch.dataset !== "string" || typeof batch.columns !== "object") {
    throw new SyntaxError("not a column batch of version 1");
  }
  for (const [name, values] of Object.entries(batch.columns)) {
    if (!Array.isArray(values) || values.length !== batch.rows) {
      throw new SyntaxError(`column batch: column ${name} has not ${batch.rows} values`);
    }
  }
  return batch;
}

/** The rows from `from` (inclusive) to `to` (exclusive) of the same columns. */
export function sliceColumnRows(rows: ColumnRows, from: number, to: number): ColumnRows {
  const columns: Record<string, readonly ColumnValue[]> = {};
  for (const [name, values] of Object.entries(rows.columns)) columns[name] = values.slice(from, to);
  return { rows: Math.max(0, Math.min(to, rows.rows) - from), columns };
}
