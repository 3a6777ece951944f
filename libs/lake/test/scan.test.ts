import { rename } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { currentFiles } from "../src/commit/current-files.ts";
import { loadTable, type Table } from "../src/commit/table.ts";
import type { LiveFile } from "../src/manifest/data-file.ts";
import { stagePositionDeletes } from "../src/parquet/stage-position-deletes.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { and, eq, gt, gte, isIn, isNull, lt, notNull, or, type Predicate } from "../src/scan/predicate.ts";
import { planScan } from "../src/scan/plan-scan.ts";
import { planFiles } from "../src/scan/scan-plan.ts";
import { resolveSnapshot } from "../src/scan/resolve-snapshot.ts";
import { scanSql } from "../src/scan/scan-sql.ts";
import { pathOfLocation } from "../src/store/location.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

let lake: LakeFixture;
beforeAll(async () => {
  lake = await openFixture();
});
afterAll(() => lake.close());

const columns = [
  { name: "k", type: "string", required: true },
  { name: "at", type: "timestamptz", required: true },
  { name: "v", type: "double", required: false },
  { name: "n", type: "int", required: false },
];

const days = (from: number, to: number) =>
  `SELECT lpad(range::VARCHAR, 4, '0') AS k, TIMESTAMPTZ '1970-01-01 12:00:00Z' + to_days(range::INTEGER) AS "at",
    range::DOUBLE AS v, CASE WHEN range % 2 = 0 THEN range::INTEGER END AS n FROM range(${from}, ${to})`;

async function append(table: Table, relationSql: string): Promise<Table> {
  const addedData = await stageRows(lake.connection, { env: lake.env, table, relationSql });
  return lake.commit(table, { operation: "append", addedData });
}

async function dailyTable(): Promise<Table> {
  const partition = [{ source: "at", transform: "month", name: "at_month" }];
  return append(await lake.createTable({ columns, partition, sort: ["k"] }), days(-100, 100));
}

describe("planning", () => {
  const midnight = (day: number) => day * 86_400_000_000;
  const cases: [string, Predicate, number, number][] = [
    ["a day before 1970", and(gte("at", midnight(-3)), lt("at", midnight(-2))), 1, 2],
    ["a key by bounds", eq("k", "0050"), 1, 1],
    ["a few keys", isIn("k", ["0001", "0099", "zzz"]), 2, 2],
    [
      "many keys",
      isIn(
        "k",
        Array.from({ length: 50 }, (_, n) => `00${50 + n}`),
      ),
      50,
      3,
    ],
    ["either of two", or(eq("v", 1), eq("v", 99)), 2, 2],
    ["nothing", or(), 0, 0],
    ["an impossible value", gt("v", 1000), 0, 0],
    ["nulls", and(isNull("n"), gte("v", 90)), 5, 1],
    ["no nulls", and(notNull("n"), gte("v", 90)), 5, 1],
    ["quotes in a key", eq("k", "' OR 1=1 --"), 0, 0],
  ];
  test.each(cases)("finds %s and reads few files", async (_, where, rows, filesMax) => {
    const table = await dailyTable();
    const plan = await planScan({ env: lake.env, table, where });
    const sql = await scanSql(plan, { store: lake.env.store, columns: ["v"] });
    expect(await lake.connection.rows(sql)).toHaveLength(rows);
    expect(plan.stats.filesPlanned).toBeLessThanOrEqual(filesMax);
  });
});

describe("a scan", () => {
  test("of a table without snapshots has the columns and no rows", async () => {
    const table = await lake.createTable({ columns });
    const plan = await planScan({ env: lake.env, table });
    const sql = await scanSql(plan, { store: lake.env.store, columns: ["n", "k"], positionColumn: "pos" });
    expect(await lake.connection.rows(`DESCRIBE ${sql}`)).toMatchObject([
      { column_name: "n", column_type: "INTEGER" },
      { column_name: "k", column_type: "VARCHAR" },
      { column_name: "pos", column_type: "BIGINT" },
    ]);
    expect(await lake.connection.rows(sql)).toEqual([]);
  });

  test("leaves out positions of delete files, whichever way they spell a location", async () => {
    const { connection, env } = lake;
    let table = await append(await lake.createTable({ columns, sort: ["k"] }), days(0, 10));
    table = await append(table, days(10, 20));
    const { data } = await currentFiles(env, table);
    const [one, other] = data as [LiveFile, LiveFile];
    const javaLike = { ...one, filePath: one.filePath.replace("file:///", "file:/") };
    const staged = await stagePositionDeletes(connection, {
      env,
      table,
      dataFiles: [javaLike],
      relationSql: "SELECT * FROM (VALUES (0, 3), (0, 4)) AS t(file_at, pos)",
    });
    table = await lake.commit(table, { operation: "overwrite", addedDeletes: staged });
    const plan = await planScan({ env, table });
    expect(plan.tasks.map((task) => [task.file.filePath, task.deletes.length]).sort()).toEqual(
      [
        [one.filePath, 1],
        [other.filePath, 0],
      ].sort(),
    );
    const scan = async (rows: "live" | "deleted") => {
      const sql = await scanSql(plan, { store: env.store, columns: ["k"], positionColumn: "pos", rows });
      return (await connection.rows<{ k: string }>(`${sql} ORDER BY k`)).map((row) => row.k);
    };
    const firstKey = Number(Buffer.from(one.lowerBounds!.get(1)!).toString());
    expect(await scan("deleted")).toEqual([firstKey + 3, firstKey + 4].map((n) => String(n).padStart(4, "0")));
    expect(await scan("live")).toHaveLength(18);
  });

  test("finds columns by id after a rename, an addition and a promotion", async () => {
    const { connection, env } = lake;
    const table = await append(await lake.createTable({ columns, sort: ["k"] }), days(0, 3));
    const schema = table.metadata.schemas[0]!;
    const fields = schema.fields.map((field) =>
      field.name === "v"
        ? { ...field, name: "filename" }
        : field.name === "n"
          ? { ...field, name: "file_index", type: "long" as const }
          : field,
    );
    const added = { id: 9, name: "v", required: false, type: "map" as const };
    const map = { "key-id": 10, key: "string", "value-id": 11, "value-required": false, value: "string" } as const;
    const evolved = {
      ...schema,
      "schema-id": 1,
      fields: [...fields, { ...added, type: { type: "map" as const, ...map } }],
    };
    const changed = { ...table, metadata: { ...table.metadata, schemas: [schema, evolved], "current-schema-id": 1 } };
    const plan = await planScan({ env, table: changed, where: gte("filename", 1) });
    const rows = await connection.rows(`${await scanSql(plan, { store: env.store })} ORDER BY k`);
    expect(rows).toEqual([
      { k: "0001", at: 129_600_000_000, filename: 1, file_index: null, v: null },
      { k: "0002", at: 216_000_000_000, filename: 2, file_index: 2, v: null },
    ]);
  });

  test("of a file in another format than Parquet is refused by name, never answered wrongly", async () => {
    const table = await append(await lake.createTable({ columns }), days(0, 3));
    const { data } = await currentFiles(lake.env, table);
    const avro: LiveFile = { ...data[0]!, fileFormat: "AVRO" };
    const plan = planFiles(table.metadata, undefined, { data: [avro], deletes: [] });
    await expect(scanSql(plan, { store: lake.env.store })).rejects.toMatchObject({
      kind: "unsupported",
      context: { file: avro.filePath },
    });
  });

  test("reads an older snapshot by id and by time", async () => {
    const first = await append(await lake.createTable({ columns }), days(0, 3));
    const second = await append(first, days(3, 5));
    const [older, newer] = second.metadata.snapshots;
    expect(await lake.rows(second, { snapshotId: older!["snapshot-id"] })).toHaveLength(3);
    expect(await lake.rows(second)).toHaveLength(5);
    const at = (ms: number) => resolveSnapshot(second.metadata, { asOfMs: ms })?.["snapshot-id"];
    expect(at(newer!["timestamp-ms"])).toBe(newer!["snapshot-id"]);
    expect(() => at(older!["timestamp-ms"] - 1)).toThrow(/no snapshot is known/);
    expect(() => resolveSnapshot(second.metadata, { snapshotId: 1n })).toThrow(/is not in the table/);
  });

  test("names the file when one is missing", async () => {
    const table = await append(await lake.createTable({ columns }), days(0, 3));
    const [file] = (await currentFiles(lake.env, table)).data;
    await rename(pathOfLocation(file!.filePath), `${pathOfLocation(file!.filePath)}.gone`);
    await expect(lake.rows(table)).rejects.toThrow(pathOfLocation(file!.filePath).split("/").at(-1)!);
  });
});

test("files of a table load again in a new process of the catalog", async () => {
  const table = await append(await lake.createTable({ columns }), days(0, 3));
  const again = await loadTable(lake.env, table.identifier);
  expect(await lake.rows(again)).toEqual(await lake.rows(table));
});
