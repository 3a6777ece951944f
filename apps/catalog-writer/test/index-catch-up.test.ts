import { createHealthDataset } from "@firn/datasets";
import {
  commitChange,
  currentSnapshot,
  expireSnapshots,
  type KernelConnection,
  type LakeEnvironment,
  loadTable,
  planScan,
  scanSql,
  stageRows,
  type StagedUpsert,
  stageUpsert,
  type Table,
} from "@firn/lake";
import { type LocalLake, openLocalLake } from "@firn/testing";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { catchUpIndex } from "../src/index-catch-up.ts";
import { keyOrder } from "../src/key-index/identity-keys.ts";
import { KeyIndex } from "../src/key-index/key-index.ts";
import { keyColumns, readKeys } from "../src/keyed-rows.ts";
import { makeTable } from "../src/tables.ts";

const { raw, identity, content } = createHealthDataset();
const shape = { definition: raw, identity, content };
const rowsAtOnce = 100;
const everyRow = 1_000;

let lake: LocalLake;
let connection: KernelConnection;
let env: LakeEnvironment;
let table: Table;
let index: KeyIndex;

beforeEach(async () => {
  lake = await openLocalLake("catch-up");
  ({ env, connection } = lake);
  table = await makeTable(env, raw, "lake");
  await append("range(0, 600)");
  index = openIndex();
  await catchUp();
});
afterEach(async () => {
  await index.close();
  await lake.close();
});

/** Few entries fit into memory, so that rows lie in runs. */
const openIndex = () => KeyIndex.open(join(lake.folder, "index"), { content, recentMax: 50 });

/** Sample n, on one of two days; `version` is its content. */
const samplesSql = (numbers: string, version = 0): string =>
  `SELECT 'phone' AS device_id, 'user-' || n % 7 AS user_id, 'sample-' || n AS sample_id, 'steps' AS data_type,
    n + ${version} / 2 AS value, 'count' AS unit, instant AS start_date, instant AS end_date, 'app' AS source_bundle, true AS is_synced, '1' AS app_version, 0 AS timezone_offset,
    NULL::MAP(VARCHAR, VARCHAR) AS metadata,
    instant AS created_at, instant AS payload_timestamp, instant AS processing_time, 'UTC' AS timezone,
    instant::DATE AS local_date
  FROM (SELECT n, TIMESTAMPTZ '2026-03-01 12:00:00Z' + to_days((n % 2)::INTEGER) AS instant FROM ${numbers} AS numbers(n))`;

async function append(numbers: string): Promise<void> {
  const addedData = await stageRows(connection, { env, table, relationSql: samplesSql(numbers) });
  await commit({ operation: "append", addedData });
}

/** As another engine would: samples replaced, others deleted. */
async function change(replaced: string, deleted: string, version: number): Promise<StagedUpsert> {
  const upsert = await stageUpsert(connection, {
    env,
    table,
    rowsSql: samplesSql(replaced, version),
    deleteKeysSql: `SELECT ${identity.join(", ")} FROM (${samplesSql(deleted)})`,
    keyColumns: identity,
    copyOnWriteRows: 0,
  });
  await commit({ operation: "overwrite", ...upsert });
  return upsert;
}

async function commit(change: Parameters<typeof commitChange>[2]): Promise<void> {
  await commitChange(env, table, change);
  table = await loadTable(env, table.identifier);
}

const catchUp = () => catchUpIndex(env, connection, table, shape, index, currentSnapshot(table.metadata), rowsAtOnce);

/** The index knows each sample of the table as it is there, and no other of 0 … everyRow. */
async function expectEqual(): Promise<void> {
  const columns = keyColumns(shape);
  const live = await scanSql(await planScan({ env, table }), { columns, store: env.store });
  const rows = await keysOf(live);
  const known = index.lookUp(rows, keyOrder(rows));
  expect([...known.found]).toEqual(new Array(rows.rows).fill(1));
  expect([...known.content]).toEqual([...rows.content]);
  expect([...known.partition]).toEqual([...rows.partition]);
  const any = await keysOf(samplesSql(`range(0, ${everyRow})`));
  expect(index.lookUp(any, keyOrder(any)).found.reduce((sum, found) => sum + found, 0)).toBe(rows.rows);
}

async function keysOf(sql: string) {
  return readKeys(connection, shape, index, `(${sql})`, "0");
}

async function reopened(damage: (path: string) => void): Promise<void> {
  await index.close();
  damage(join(lake.folder, "index"));
  index = openIndex();
}

const runsIn = (path: string): string[] => readdirSync(path).filter((name) => name.startsWith("run-"));

describe("the key index", () => {
  it("is rebuilt where it is missing", async () => {
    await reopened((path) => rmSync(path, { recursive: true }));
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
    expect(await catchUp()).toBe("current");
  });

  it("is rebuilt where a byte of a run has changed", async () => {
    await reopened((path) => {
      const run = join(path, runsIn(path)[0]!);
      const bytes = readFileSync(run);
      bytes[100]! ^= 1;
      writeFileSync(run, bytes);
    });
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
  });

  it("is rebuilt where a run is gone", async () => {
    await reopened((path) => rmSync(join(path, runsIn(path)[0]!)));
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
  });

  it("is rolled forward over commits of others that add, replace and delete", async () => {
    await append("range(600, 900)");
    // Few rows of a file are deleted by position; many, and the file is written anew.
    expect((await change("range(0, 600, 40)", "range(1, 600, 40)", 1)).addedDeletes).not.toHaveLength(0);
    expect((await change("range(0, 600, 80)", "range(2, 650, 40)", 2)).addedDeletes).not.toHaveLength(0);
    expect(await catchUp()).toBe("rolled_forward");
    await expectEqual();
  });

  it("is rolled forward over files that were written anew without some of their rows", async () => {
    expect((await change("range(0, 300)", "range(300, 400)", 1)).removedData).not.toHaveLength(0);
    expect(await catchUp()).toBe("rolled_forward");
    await expectEqual();
  });

  it("is rebuilt where the snapshot that it equals has expired", async () => {
    const old = table.metadata.snapshots.map((snapshot) => snapshot["snapshot-id"]);
    await change("range(0, 50)", "range(50, 100)", 1);
    await expireSnapshots(env, table, old);
    table = await loadTable(env, table.identifier);
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
  });

  it("is rebuilt for another table of the name", async () => {
    await env.catalog.dropTable(table.identifier);
    table = await makeTable(env, raw, "lake");
    await append("range(300, 700)");
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
  });

  it("takes rows in by slices, whatever their files hold", async () => {
    const sizes: number[] = [];
    const applyPart = index.applyPart.bind(index);
    index.applyPart = (change) => {
      sizes.push(change.rows.length);
      return applyPart(change);
    };
    await change("range(0, 1)", "range(1, 590)", 1);
    expect(await catchUp()).toBe("rolled_forward");
    await expectEqual();
    await index.clear("");
    await append("range(600, 1000)");
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
    expect(Math.max(...sizes)).toBe(rowsAtOnce);
  });
});
