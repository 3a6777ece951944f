import { recordTablesOf, type RecordTable } from "@firn/core";
import { datasets } from "@firn/datasets";
import { openKernel, type Kernel, type KernelConnection } from "@firn/lake";
import { RelationalDatabase } from "@firn/relational";
import { startPostgres, tempFolder, type PostgresServer, type TempFolder } from "@firn/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

import { MigrateState } from "./migrate-state.ts";
import { readPages } from "./read-pages.ts";
import { DUCKDB, POSTGRES, rowDigestSql } from "./row-digest.ts";
import { planSources } from "./source-table.ts";

const tables: readonly RecordTable[] = recordTablesOf(datasets.get("market")!);

let folder: TempFolder;
let server: PostgresServer;
let database: RelationalDatabase;
let kernel: Kernel;
let connection: KernelConnection;

beforeAll(async () => {
  folder = await tempFolder("migrate");
  server = await startPostgres({ dir: `${folder.path}/postgres` });
  database = new RelationalDatabase({ databaseUrl: server.databaseUrl, name: "test" });
  kernel = await openKernel({ memoryLimitMb: 128, threads: 1, tempDir: `${folder.path}/spill` });
  connection = await kernel.connect();
  await database.query(`CREATE TABLE us_stocks_price (trade_date date, meta_id int, close numeric, adj_close float8,
    volume bigint, updated_at timestamp, note text, UNIQUE (trade_date, meta_id))`);
  await database.query(`INSERT INTO us_stocks_price
    SELECT DATE '2024-01-01' + i / 7, i % 7, i * 0.1, sqrt(i), i * 1000, timestamp '2024-01-01 12:00:00.000001', 'x'
    FROM generate_series(1, 500) AS i`);
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
  kernel?.close();
  await folder?.remove();
});

test("follows the source's own index, reads each row once, and goes on behind a key", async () => {
  const [source] = (await planSources(database, "us_stocks_price", tables))!;
  expect(source).toMatchObject({ key: ["trade_date", "meta_id"], isIndexed: true, left: ["note"] });
  const all = [];
  let second: readonly string[] | undefined;
  for await (const page of readPages(database, source!, { batchSize: 64, after: undefined })) {
    if (all.length === 64) second = page.lastKey;
    all.push(...page.rows);
  }
  expect(all).toHaveLength(500);
  expect(new Set(all.map((row) => `${String(row["trade_date"])} ${String(row["meta_id"])}`)).size).toBe(500);
  expect(all[0]).toEqual({
    meta_id: 1,
    trade_date: "2024-01-01",
    close: 0.1,
    adj_close: 1,
    volume: 1000,
    updated_at: "2024-01-01T12:00:00.000001Z",
  });
  const rest = [];
  for await (const page of readPages(database, source!, { batchSize: 64, after: second })) rest.push(...page.rows);
  expect(rest).toEqual(all.slice(128));
});

test("a table that is not there is told from one that lacks a column of its identity", async () => {
  expect(await planSources(database, "tb_nav", tables)).toBeUndefined();
  await database.query("CREATE TABLE tb_rebalance (rebal_date date, port_id int, weight float8)");
  await expect(planSources(database, "tb_rebalance", tables)).rejects.toThrow(/no column meta_id/);
});

test("PostgreSQL and DuckDB give a row the same digest, and another one for the smallest difference", async () => {
  const columns = tables
    .find(({ definition }) => definition.name === "us_stocks_price")!
    .definition.columns.filter(({ name }) => !["gross_return", "updated_at"].includes(name));
  const values = ["0.1", "1e-300", "-0.0", "0.0", "123456789.123456789", "1.7976931348623157e308", "NULL"];
  const rows = values.map(
    (value, at) => `(${at}, DATE '1969-12-${20 + at}', ${value}, ${value}, ${at % 2 ? "NULL" : at})`,
  );
  const names = "(meta_id, trade_date, close, adj_close, volume)";
  const theirs = await database.query<{ digest: number }>(
    `SELECT ${rowDigestSql(columns, POSTGRES)} AS digest FROM (VALUES ${rows.join(", ")}) AS s${names} ORDER BY meta_id`,
  );
  const ours = await connection.rows<{ digest: number }>(
    `SELECT ${rowDigestSql(columns, DUCKDB)} AS digest FROM (VALUES ${rows.join(", ")}) AS s${names} ORDER BY meta_id`,
  );
  expect(theirs.rows.map(({ digest }) => String(digest))).toEqual(ours.map(({ digest }) => String(digest)));
  const [near] = await connection.rows<{ digest: number }>(
    `SELECT ${rowDigestSql(columns, DUCKDB)} AS digest
     FROM (VALUES (0, DATE '1969-12-20', 0.1::DOUBLE + 2e-17::DOUBLE, 0.1, 0)) AS s${names}`,
  );
  expect(String(near!.digest)).not.toBe(String(ours[0]!.digest));
});

test("progress is kept for the same migration only", () => {
  const state = new MigrateState(`${folder.path}/state`, ["db", "us_stocks_price"]);
  expect(state.read()).toBeUndefined();
  state.write({ lastKey: ["2024-01-02", "3"], rows: 9 });
  expect(state.read()).toEqual({ lastKey: ["2024-01-02", "3"], rows: 9 });
  expect(new MigrateState(`${folder.path}/state`, ["other", "us_stocks_price"]).read()).toBeUndefined();
  state.clear();
  expect(state.read()).toBeUndefined();
});
