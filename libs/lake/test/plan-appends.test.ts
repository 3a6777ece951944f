import { afterAll, beforeAll, expect, test } from "vitest";
import type { Table } from "../src/commit/table.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { planAppends } from "../src/scan/plan-appends.ts";
import { scanSql } from "../src/scan/scan-sql.ts";
import { stageUpsert } from "../src/upsert/stage-upsert.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

let lake: LakeFixture;
beforeAll(async () => {
  lake = await openFixture();
});
afterAll(() => lake.close());

const current = (table: Table): bigint => table.metadata["current-snapshot-id"]!;

test("appends between two snapshots are read as they came, corrections and what is before them are not", async () => {
  const { env, connection } = lake;
  const append = async (table: Table, id: number): Promise<Table> => {
    const addedData = await stageRows(connection, { env, table, relationSql: `SELECT ${id} AS id, 'first' AS v` });
    return lake.commit(table, { operation: "append", addedData });
  };
  const columns = [
    { name: "id", type: "int", required: true },
    { name: "v", type: "string", required: false },
  ];
  const one = await append(await lake.createTable({ columns }), 1);
  const two = await append(one, 2);
  const upsert = await stageUpsert(connection, {
    env,
    table: two,
    rowsSql: "SELECT 2 AS id, 'second' AS v",
    keyColumns: ["id"],
  });
  const corrected = await lake.commit(two, { operation: "overwrite", ...upsert });
  const three = await append(corrected, 3);

  const read = async (from: bigint | undefined, to: bigint): Promise<unknown> => {
    const plan = await planAppends(env, three, from, to);
    return plan && connection.rows(`${await scanSql(plan, { store: env.store })} ORDER BY id`);
  };
  expect(await read(current(one), current(three))).toEqual([
    { id: 2, v: "first" },
    { id: 3, v: "first" },
  ]);
  expect(await read(undefined, current(one))).toEqual([{ id: 1, v: "first" }]);
  expect(await read(current(three), current(three))).toEqual([]);
  expect(await read(5n, current(three))).toBeUndefined();
});
