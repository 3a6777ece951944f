import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { currentFiles } from "../src/commit/current-files.ts";
import type { Table } from "../src/commit/table.ts";
import { planMerge } from "../src/merge/plan-merge.ts";
import { stageMerge } from "../src/merge/stage-merge.ts";
import { planChanges } from "../src/scan/plan-changes.ts";
import { planScan } from "../src/scan/plan-scan.ts";
import { scanSql } from "../src/scan/scan-sql.ts";
import { stagePositionDeletes } from "../src/parquet/stage-position-deletes.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { stageUpsert } from "../src/upsert/stage-upsert.ts";
import { equalityDeletes } from "./foreign-files.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

let lake: LakeFixture;
beforeAll(async () => {
  lake = await openFixture();
});
afterAll(() => lake.close());

const columns = [
  { name: "id", type: "long", required: true },
  { name: "part", type: "string", required: false },
  { name: "v", type: "int", required: false },
];
const partition = [{ source: "part", transform: "identity", name: "part" }];

async function append(table: Table, relationSql: string): Promise<Table> {
  const addedData = await stageRows(lake.connection, { env: lake.env, table, relationSql });
  return lake.commit(table, { operation: "append", addedData });
}

const ids = async (table: Table): Promise<number[]> =>
  (await lake.rows<{ id: number }>(table, {}, "id, v")).map((row) => row.id);

describe("equality deletes that others wrote", () => {
  test("take the rows that were there before, and none of a later commit", async () => {
    let table = await append(await lake.createTable({ columns }), "SELECT range AS id, 1 AS v FROM range(6)");
    const file = await equalityDeletes(lake, table, ["id"], "SELECT * FROM (VALUES (1::BIGINT), (4), (99)) AS t(id)");
    const again = "SELECT 4 AS id, 2 AS v";
    const addedData = await stageRows(lake.connection, { env: lake.env, table, relationSql: again });
    // Flink commits an upsert so: the new row and the delete of the old one have the same sequence number.
    table = await lake.commit(table, { operation: "overwrite", addedData, addedDeletes: [file] });
    expect(await ids(table)).toEqual([0, 2, 3, 4, 5]);
    table = await append(table, "SELECT 1 AS id, 3 AS v");
    // A later delete of another key makes every file one with deletes; the earlier ones must not reach further.
    const other = await equalityDeletes(lake, table, ["id"], "SELECT 0::BIGINT AS id");
    table = await lake.commit(table, { operation: "delete", addedDeletes: [other] });
    expect(await ids(table)).toEqual([1, 2, 3, 4, 5]);
    expect((await lake.rows<{ v: number }>(table, {}, "id")).map((row) => row.v)).toEqual([3, 1, 1, 2, 1]);
  });

  test("are worked in by a merge, and go with it", async () => {
    let table = await append(await lake.createTable({ columns }), "SELECT range AS id, 1 AS v FROM range(6)");
    const file = await equalityDeletes(lake, table, ["id"], "SELECT unnest([1::BIGINT, 4]) AS id");
    const addedData = await stageRows(lake.connection, { env: lake.env, table, relationSql: "SELECT 4 AS id, 2 AS v" });
    table = await lake.commit(table, { operation: "overwrite", addedData, addedDeletes: [file] });
    const plan = planMerge(table.metadata, await currentFiles(lake.env, table));
    expect(plan.groups.map((group) => group.rows)).toEqual([6]);
    const change = await stageMerge(lake.connection, { env: lake.env, table, plan });
    table = await lake.commit(table, change!);
    expect(await ids(table)).toEqual([0, 2, 3, 4, 5]);
    expect((await currentFiles(lake.env, table)).deletes).toEqual([]);
  });

  test("of a partition leave the others alone; those of an unpartitioned spec do not", async () => {
    const rows = "SELECT range AS id, ['a', 'b', NULL][range % 3 + 1] AS part FROM range(9)";
    let table = await append(await lake.createTable({ columns, partition }), rows);
    const all = "SELECT range AS id FROM range(9)";
    const ofA = await equalityDeletes(lake, table, ["id"], all, { part: "a" });
    table = await lake.commit(table, { operation: "delete", addedDeletes: [ofA] });
    expect(await ids(table)).toEqual([1, 2, 4, 5, 7, 8]);
    const ofNull = await equalityDeletes(lake, table, ["id"], "SELECT 5::BIGINT AS id", { part: null });
    table = await lake.commit(table, { operation: "delete", addedDeletes: [ofNull] });
    expect(await ids(table)).toEqual([1, 2, 4, 7, 8]);
  });

  test("compare nulls as equal, several columns, and columns that the scan does not select", async () => {
    let table = await append(
      await lake.createTable({ columns }),
      "SELECT * FROM (VALUES (1, 'a', NULL), (2, 'a', 1), (3, NULL, NULL), (4, 'b', 1)) AS t(id, part, v)",
    );
    const keys = "SELECT * FROM (VALUES (NULL::VARCHAR, NULL::INT), ('a', 1), ('b', NULL)) AS t(part, v)";
    const file = await equalityDeletes(lake, table, ["part", "v"], keys);
    table = await lake.commit(table, { operation: "delete", addedDeletes: [file] });
    expect(await ids(table)).toEqual([1, 4]);
    const plan = await planScan({ env: lake.env, table });
    const sql = await scanSql(plan, { store: lake.env.store, columns: ["id"], positionColumn: "pos" });
    expect(await lake.connection.rows(`${sql} ORDER BY id`)).toEqual([
      { id: 1, pos: 0 },
      { id: 4, pos: 3 },
    ]);
  });

  test("go together with position deletes, show as changes, and are worked in by an upsert", async () => {
    const first = await append(await lake.createTable({ columns }), "SELECT range AS id, 1 AS v FROM range(8)");
    const { data } = await currentFiles(lake.env, first);
    const positions = await stagePositionDeletes(lake.connection, {
      env: lake.env,
      table: first,
      dataFiles: data,
      relationSql: "SELECT * FROM (VALUES (0, 2), (0, 3)) AS t(file_at, pos)",
    });
    const second = await lake.commit(first, { operation: "delete", addedDeletes: positions });
    const byKey = await equalityDeletes(lake, second, ["id"], "SELECT unnest([3::BIGINT, 5, 6]) AS id");
    const third = await lake.commit(second, { operation: "delete", addedDeletes: [byKey] });
    expect(await ids(third)).toEqual([0, 1, 4, 7]);

    const changed = async (from: Table): Promise<number[]> => {
      const id = (table: Table): bigint => table.metadata["current-snapshot-id"]!;
      const changes = await planChanges(lake.env, third, id(from), id(third));
      const sql = await scanSql(changes!.deleted, { store: lake.env.store, columns: ["id"], rows: "deleted" });
      return (await lake.connection.rows<{ id: number }>(`${sql} ORDER BY id`)).map((row) => row.id);
    };
    expect(await changed(first)).toEqual([2, 3, 5, 6]);
    expect(await changed(second)).toEqual([5, 6]);

    const upsert = await stageUpsert(lake.connection, {
      env: lake.env,
      table: third,
      rowsSql: "SELECT 0 AS id, 9 AS v UNION ALL SELECT 6, 9",
      keyColumns: ["id"],
    });
    expect([upsert.updated, upsert.inserted]).toEqual([1, 1]);
    expect(await ids(await lake.commit(third, { operation: "overwrite", ...upsert }))).toEqual([0, 1, 4, 6, 7]);
  });

  test("of a renamed, widened or dropped column are followed by its id", async () => {
    const { env } = lake;
    let table = await append(await lake.createTable({ columns }), "SELECT range AS id, range AS v FROM range(5)");
    const files = [
      await equalityDeletes(lake, table, ["v"], "SELECT 3::INT AS v"),
      await equalityDeletes(lake, table, ["part"], "SELECT 'x' AS part"),
    ];
    table = await lake.commit(table, { operation: "delete", addedDeletes: files });
    const schema = table.metadata.schemas[0]!;
    const fields = schema.fields.flatMap((field) => {
      if (field.name === "part") return [];
      return [field.name === "v" ? { ...field, name: "w", type: "long" as const } : field];
    });
    const evolved = { ...schema, "schema-id": 1, fields };
    const metadata = { ...table.metadata, schemas: [schema, evolved], "current-schema-id": 1 };
    const plan = await planScan({ env, table: { ...table, metadata } });
    const rows = await lake.connection.rows(`${await scanSql(plan, { store: env.store })} ORDER BY id`);
    expect(rows).toEqual([0, 1, 2, 4].map((n) => ({ id: n, w: n })));
  });

  test("are refused by name when they say nothing, or too much", async () => {
    const table = await append(await lake.createTable({ columns }), "SELECT 1 AS id");
    const file = await equalityDeletes(lake, table, ["id"], "SELECT 1::BIGINT AS id");
    const withIds = (equalityIds: number[]) =>
      lake.commit(table, { operation: "delete", addedDeletes: [{ ...file, equalityIds }] });
    const unknown = await withIds([77]);
    await expect(ids(unknown)).rejects.toMatchObject({ kind: "corrupt", context: { file: file.filePath } });
  });
});

test("350,000 deleted keys in a hundred commits cost a hash join, and leave exactly the others", async () => {
  const [keys, commits] = [350_000, 100];
  let table = await append(await lake.createTable({ columns }), `SELECT range AS id, 1 AS v FROM range(${2 * keys})`);
  const each = keys / commits;
  const files = await Promise.all(
    Array.from({ length: commits }, (_, n) =>
      equalityDeletes(lake, table, ["id"], `SELECT 2 * (range + ${n * each}) AS id FROM range(${each})`),
    ),
  );
  for (const file of files) table = await lake.commit(table, { operation: "delete", addedDeletes: [file] });
  const plan = await planScan({ env: lake.env, table });
  expect(plan.stats.deleteFilesPlanned).toBe(commits);
  const sql = await scanSql(plan, { store: lake.env.store, columns: ["id"] });
  const figures = `SELECT count(*) AS n, sum(id % 2) AS odd, min(id) AS low, max(id) AS high FROM (${sql})`;
  expect(await lake.connection.rows(figures)).toEqual([{ n: keys, odd: keys, low: 1, high: 2 * keys - 1 }]);
  const [explained] = await lake.connection.rows<{ explain_value: string }>(`EXPLAIN ${sql}`);
  expect(explained!.explain_value).toContain("HASH_JOIN");
  expect(explained!.explain_value).not.toMatch(/NESTED_LOOP|BLOCKWISE|CROSS/);
}, 60_000);
