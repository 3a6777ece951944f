import type { AnswerType } from "@firn/client";
import {
  Bool,
  type DataType,
  DateDay,
  Field,
  Float64,
  Int32,
  Int64,
  Map_,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  Utf8,
  makeData,
  tableToIPC,
  vectorFromArray,
  type Data,
} from "apache-arrow";
import type { AnswerTable } from "@firn/core";
import type { MapEntry } from "./json-values.ts";

const ENTRY = new Struct<{ key: Utf8; value: Utf8 }>([
  new Field("key", new Utf8(), false),
  new Field("value", new Utf8(), true),
] as never);

const TYPES: Readonly<Record<AnswerType, DataType>> = {
  string: new Utf8(),
  boolean: new Bool(),
  int: new Int32(),
  long: new Int64(),
  double: new Float64(),
  date: new DateDay(),
  timestamptz: new TimestampMicrosecond("UTC"),
  "map<string,string>": new Map_<Utf8, Utf8>(new Field("entries", ENTRY, false) as never),
};

/** The answer as an Arrow IPC stream; `metadata` goes into the schema. */
export function arrowStream(table: AnswerTable, metadata: Readonly<Record<string, string>>): Uint8Array {
  const fields = table.columns.map((column) => new Field(column.name, TYPES[column.type], column.optional ?? false));
  const schema = new Schema(fields, new Map(Object.entries(metadata)));
  const children = table.columns.map((column, index) => columnData(column.type, table.values[index]!));
  const struct = makeData({ type: new Struct(fields), length: table.rowCount, nullCount: 0, children });
  return tableToIPC(new Table(schema, [new RecordBatch(schema, struct)]), "stream");
}

function columnData(type: AnswerType, values: readonly unknown[]): Data {
  switch (type) {
    case "string":
    case "boolean":
      return single(vectorFromArray(values as never[], TYPES[type]).data, TYPES[type]);
    case "map<string,string>": {
      const maps = values.map(
        (value) => value && new Map((value as MapEntry[]).map((entry) => [entry.key, entry.value])),
      );
      return single(vectorFromArray(maps as never[], TYPES[type]).data, TYPES[type]);
    }
    case "int":
    case "date":
      return fixed(
        type,
        values,
        Int32Array.from(values as number[], (value) => value ?? 0),
      );
    case "double":
      return fixed(
        type,
        values,
        Float64Array.from(values as number[], (value) => value ?? 0),
      );
    case "long":
    case "timestamptz":
      return fixed(
        type,
        values,
        BigInt64Array.from(values as (number | bigint)[], (value) => BigInt(value ?? 0)),
      );
  }
}

/** A builder makes no data at all for no values. */
function single(data: readonly Data[], type: DataType): Data {
  return data[0] ?? makeData({ type, length: 0 } as never);
}

function fixed(type: AnswerType, values: readonly unknown[], data: Int32Array | Float64Array | BigInt64Array): Data {
  const { bitmap, nullCount } = validity(values);
  const base = { type: TYPES[type], length: values.length, nullCount, data };
  return makeData((nullCount === 0 ? base : { ...base, nullBitmap: bitmap }) as never);
}

/** One bit a value, the lowest first, 1 where there is one (Arrow columnar format, "Validity bitmaps"). */
function validity(values: readonly unknown[]): { bitmap: Uint8Array; nullCount: number } {
  const bitmap = new Uint8Array(Math.ceil(values.length / 64) * 8);
  let nullCount = 0;
  for (const [index, value] of values.entries()) {
    if (value === null || value === undefined) nullCount += 1;
    else bitmap[index >> 3]! |= 1 << (index & 7);
  }
  return { bitmap, nullCount };
}
