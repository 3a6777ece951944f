import { readFile } from "node:fs/promises";
import { parquetMetadata, type SchemaElement } from "hyparquet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Table } from "../src/commit/table.ts";
import type { DataFile } from "../src/manifest/data-file.ts";
import { decodeSingleValue } from "../src/manifest/single-value.ts";
import { columnByName, type PrimitiveType } from "../src/metadata/schema.ts";
import { currentSchema } from "../src/metadata/table-metadata.ts";
import { stagePositionDeletes } from "../src/parquet/stage-position-deletes.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { pathOfLocation } from "../src/store/location.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

let lake: LakeFixture;
beforeAll(async () => {
  lake = await openFixture();
});
afterAll(() => lake.close());

const columns = [
  { name: "id", type: "string", required: true },
  { name: "at", type: "timestamptz", required: true },
  { name: "seen", type: "timestamp", required: false },
  { name: "day", type: "date", required: false },
  { name: "small", type: "int", required: false },
  { name: "price", type: "decimal(12, 2)", required: false },
  { name: "value", type: "double", required: false },
  { name: "tags", type: "map<string,string>", required: false },
  { name: "flag", type: "boolean", required: false },
];

async function parquetOf(file: DataFile) {
  const bytes = await readFile(pathOfLocation(file.filePath));
  return parquetMetadata(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
}

function bound(table: Table, file: DataFile, side: "lowerBounds" | "upperBounds", name: string): unknown {
  const { id, type } = columnByName(currentSchema(table.metadata), name)!;
  const bytes = file[side]?.get(id);
  return bytes === undefined ? undefined : decodeSingleValue(type as PrimitiveType, bytes);
}

describe("a staged file", () => {
  test("has the table's field ids, nested ones too, and Iceberg's Parquet types", async () => {
    const table = await lake.createTable({ columns });
    const [file] = await stageRows(lake.connection, {
      env: lake.env,
      table,
      relationSql: `SELECT 'a' AS id, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS at, MAP {'k': 'v'} AS tags, 1 AS extra`,
    });
    const { schema, row_groups } = await parquetOf(file!);
    const found = schema
      .slice(1)
      .map((one: SchemaElement) => [one.name, one.field_id, one.type, one.logical_type?.type ?? one.converted_type]);
    expect(found).toEqual([
      ["id", 1, "BYTE_ARRAY", "UTF8"],
      ["at", 2, "INT64", "TIMESTAMP"],
      ["seen", 3, "INT64", "TIMESTAMP"],
      ["day", 4, "INT32", "DATE"],
      ["small", 5, "INT32", "INT_32"],
      ["price", 6, "INT64", "DECIMAL"],
      ["value", 7, "DOUBLE", undefined],
      ["tags", 8, undefined, "MAP"],
      ["key_value", undefined, undefined, undefined],
      ["key", 10, "BYTE_ARRAY", "UTF8"],
      ["value", 11, "BYTE_ARRAY", "UTF8"],
      ["flag", 9, "BOOLEAN", undefined],
    ]);
    const utc = (name: string) => {
      const type = schema.find((one) => one.name === name)?.logical_type;
      return type?.type === "TIMESTAMP" ? [type.isAdjustedToUTC, type.unit] : undefined;
    };
    expect(utc("at")).toEqual([true, "MICROS"]);
    expect(utc("seen")).toEqual([false, "MICROS"]);
    expect(row_groups[0]?.columns[0]?.meta_data?.codec).toBe("ZSTD");
    expect(file).toMatchObject({ recordCount: 1, specId: 0, partition: {} });
  });

  test.each([1, 70])("has right metrics when there are %i partitions", async (partitions) => {
    const table = await lake.createTable({
      columns,
      partition: [{ source: "small", transform: "identity", name: "small" }],
      sort: ["id"],
    });
    const files = await stageRows(lake.connection, {
      env: lake.env,
      table,
      relationSql: `SELECT * FROM (VALUES
        ('b${"é".repeat(20)}', TIMESTAMPTZ '1969-12-31 23:59:59.999999Z', DATE '1969-12-30', -1.25::DECIMAL(12,2), 'nan'::DOUBLE, NULL),
        ('a${"é".repeat(20)}', TIMESTAMPTZ '2026-01-01 00:00:00Z', NULL, 99999.99, 0.0, true),
        ('c', TIMESTAMPTZ '2026-01-01 00:00:00Z', NULL, NULL, -3.5, NULL)) AS t(id, "at", day, price, value, flag),
        (SELECT range::INTEGER AS small FROM range(${partitions}))`,
    });
    expect(files.map((file) => file.partition["small"]).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: partitions }, (_, n) => n),
    );
    const file = files.find((one) => one.partition["small"] === partitions - 1)!;
    expect(file.recordCount).toBe(3);
    expect(file.sortOrderId).toBe(1);
    expect(Object.fromEntries(file.nullValueCounts!)).toMatchObject({ 1: 0, 2: 0, 3: 3, 4: 2, 5: 0, 6: 1, 7: 0, 9: 2 });
    expect(Object.fromEntries(file.valueCounts!)).toMatchObject({ 1: 3, 7: 3 });
    // With a NaN among the values either its count is told or none.
    expect([undefined, 1]).toContain(file.nanValueCounts!.get(7));
    expect(file.nullValueCounts!.has(10)).toBe(false);
    const bounds = (name: string) => [bound(table, file, "lowerBounds", name), bound(table, file, "upperBounds", name)];
    expect(bounds("id")).toEqual([`a${"é".repeat(15)}`, "c"]);
    expect(bounds("at")).toEqual([-1, 1_767_225_600_000_000]);
    expect(bounds("day")).toEqual([-2, -2]);
    expect(bounds("price")).toEqual([-125n, 9_999_999n]);
    expect(bounds("value")).toEqual([-3.5, 0]);
    expect(bounds("flag")).toEqual([true, true]);
    expect(bounds("seen")).toEqual([undefined, undefined]);
    const { row_groups } = await parquetOf(file);
    expect(row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0)).toBe(3);
  });

  test("is not written for no rows, and not for a null in a required column", async () => {
    const { connection, env } = lake;
    const table = await lake.createTable({ columns });
    const none = await stageRows(connection, { env, table, relationSql: "SELECT 'a' AS id WHERE false" });
    expect(none).toEqual([]);
    await expect(stageRows(connection, { env, table, relationSql: "SELECT 'a' AS id" })).rejects.toMatchObject({
      name: "LakeError",
      kind: "invalid",
      message: "column at is required and has 1 nulls",
    });
  });

  test("has row groups of the size that the table names", async () => {
    const { connection, env } = lake;
    const properties = { "firn.parquet.row-group-rows": "4096", "write.parquet.compression-codec": "snappy" };
    const table = await lake.createTable({ columns: columns.slice(0, 2), sort: ["id"], properties });
    const relationSql = "SELECT lpad(range::VARCHAR, 9, '0') AS id, now() AS at FROM range(10000)";
    const [file] = await stageRows(connection, { env, table, relationSql });
    const { row_groups } = await parquetOf(file!);
    expect(row_groups.map((group) => Number(group.num_rows))).toEqual([4096, 4096, 1808]);
    expect(row_groups[0]?.columns[0]?.meta_data?.codec).toBe("SNAPPY");
  });
});

describe("a position delete file", () => {
  test("has the reserved field ids and whole locations as bounds, one file for a partition", async () => {
    const { connection, env } = lake;
    const table = await lake.createTable({
      columns,
      partition: [{ source: "small", transform: "truncate[10]", name: "small_10" }],
    });
    const relationSql = `SELECT range::VARCHAR AS id, now() AS at, range::INTEGER - 10 AS small FROM range(20)`;
    const first = await stageRows(connection, { env, table, relationSql });
    const second = await stageRows(connection, { env, table, relationSql });
    const dataFiles = [...first, ...second];
    const deletes = await stagePositionDeletes(connection, {
      env,
      table,
      dataFiles,
      relationSql: "SELECT * FROM (VALUES (0, 3), (2, 1), (0, 1), (1, 9)) AS t(file_at, pos)",
    });
    expect(deletes.map((file) => [file.content, file.recordCount, file.partition])).toEqual([
      [1, 3, dataFiles[0]!.partition],
      [1, 1, dataFiles[1]!.partition],
    ]);
    expect(deletes.map((file) => file.referencedDataFile)).toEqual([undefined, dataFiles[1]!.filePath]);
    const paths = [dataFiles[0]!.filePath, dataFiles[2]!.filePath].sort();
    expect(Buffer.from(deletes[0]!.lowerBounds!.get(2147483546)!).toString()).toBe(paths[0]);
    expect(Buffer.from(deletes[0]!.upperBounds!.get(2147483546)!).toString()).toBe(paths[1]);
    const { schema } = await parquetOf(deletes[0]!);
    expect(schema.slice(1).map((one) => [one.name, one.field_id])).toEqual([
      ["file_path", 2147483546],
      ["pos", 2147483545],
    ]);
    const rows = await connection.rows<{ pos: number }>(
      `SELECT pos FROM read_parquet('${pathOfLocation(deletes[0]!.filePath)}') WHERE file_path = '${dataFiles[0]!.filePath}'`,
    );
    expect(rows.map(({ pos }) => pos)).toEqual([1, 3]);
  });
});
