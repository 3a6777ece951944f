import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openKernel, type Kernel, type KernelConnection } from "./duck.ts";
import { sqlBlob, sqlDouble, sqlName, sqlString } from "./sql-text.ts";

let folder: string;
let kernel: Kernel;
let connection: KernelConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "firn-kernel-"));
  kernel = await openKernel({ memoryLimitMb: 256, threads: 1, tempDir: join(folder, "temp") });
  connection = await kernel.connect();
});
afterAll(async () => {
  connection.close();
  kernel.close();
  await rm(folder, { recursive: true, force: true });
});

test("values come in Iceberg's own domain", async () => {
  const [row] = await connection.rows(`SELECT 1::BIGINT AS small, 9007199254740993 AS big, DATE '1969-12-31' AS day,
    TIMESTAMPTZ '1969-12-31 23:59:59.5Z' AS instant, TIMESTAMP_NS '1969-12-31 23:59:59.9999999' AS nanos,
    TIME '00:00:01' AS time, MAP {'a': 1::BIGINT} AS map, [1, NULL] AS list, {'x': DATE '1970-01-02'} AS struct,
    NULL AS nothing, 12::HUGEINT AS huge`);
  expect(row).toEqual({
    small: 1,
    big: 9007199254740993n,
    day: -1,
    instant: -500_000,
    nanos: -1,
    time: 1_000_000,
    map: [{ key: "a", value: 1 }],
    list: [1, null],
    struct: { x: 1 },
    nothing: null,
    huge: 12,
  });
});

test("text comes back with every character, a byte order mark at its start and a NUL included", async () => {
  const texts = ["\ufeffx", "\ufeff longer than what DuckDB holds inline", "a\u0000b", "e\u0301", "🫀", "\uffff", ""];
  const list = texts.map(sqlString).join(", ");
  expect(await connection.rows(`SELECT unnest([${list}]) AS text`)).toEqual(texts.map((text) => ({ text })));
  expect(await connection.value(`SELECT MAP {${sqlString("\ufeffk")}: ${sqlString("\ufeffv")}}`)).toEqual([
    { key: "\ufeffk", value: "\ufeffv" },
  ]);
});

test("chunks give the rows in order, without holding them all", async () => {
  const seen: unknown[] = [];
  for await (const chunk of connection.chunks("SELECT range AS n FROM range(5000)")) seen.push(...chunk.column(0));
  expect(seen).toEqual(Array.from({ length: 5000 }, (_, n) => n));
});

test("statements that are asked for at the same time run one after the other, a failure between them", async () => {
  await connection.run("CREATE TEMP TABLE queue (n INTEGER)");
  const results = await Promise.allSettled([
    connection.run("INSERT INTO queue VALUES (1)"),
    connection.run("SELECT nonsense"),
    connection.value("SELECT count(*) FROM queue"),
  ]);
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(results[2]).toMatchObject({ value: 1 });
});

test("integers are appended in order across chunks", async () => {
  await connection.run("CREATE TEMP TABLE numbers (n INTEGER)");
  await connection.appendIntegers(
    "numbers",
    Int32Array.from({ length: 5000 }, (_, at) => at - 2500),
  );
  const rows = await connection.rows<{ n: number }>("SELECT n FROM numbers");
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 5000 }, (_, at) => at - 2500));
});

test("SQL text carries every value unchanged", async () => {
  const text = 'it\'s \0 "quoted" \\ ü😀\n';
  const [row] = await connection.rows<Record<string, unknown>>(
    `SELECT ${sqlString(text)} AS ${sqlName('we"ird')}, ${sqlDouble(-0)} AS zero, ${sqlDouble(NaN)} AS nan,
      ${sqlDouble(-Infinity)} AS infinite, ${sqlDouble(1e-320)} AS tiny, ${sqlBlob(Uint8Array.of(0, 255, 39))} AS blob`,
  );
  expect(row).toEqual({
    'we"ird': text,
    zero: -0,
    nan: NaN,
    infinite: -Infinity,
    tiny: 1e-320,
    blob: Buffer.from([0, 255, 39]),
  });
});

test("nothing is fetched or loaded from outside", async () => {
  await expect(connection.run("SELECT * FROM read_parquet('https://localhost:1/x.parquet')")).rejects.toThrow(/httpfs/);
});

test("a result that is read chunk by chunk is whole, whatever else is asked of the connection meanwhile", async () => {
  const readAll = async (): Promise<number> => {
    let rows = 0;
    for await (const chunk of connection.chunks("SELECT * FROM range(100_000)")) {
      rows += chunk.rowCount;
      await new Promise(setImmediate);
    }
    return rows;
  };
  const answers = await Promise.all([readAll(), connection.value("SELECT 42"), readAll(), connection.run("SELECT 1")]);
  expect(answers).toEqual([100_000, 42, 100_000, undefined]);
  for await (const chunk of connection.chunks("SELECT * FROM range(100_000)")) if (chunk.rowCount > 0) break;
  expect(await connection.value("SELECT 43")).toBe(43);
});
