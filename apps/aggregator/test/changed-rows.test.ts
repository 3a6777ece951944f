import { tablesOf } from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import {
  createTableRequest,
  currentSnapshot,
  definedIdentifier,
  lakeEnvironment,
  loadTable,
  MemoryCatalog,
  openFileStore,
  openKernel,
  postCommit,
  type SnapshotChange,
  stageCommit,
  stageRows,
  stageUpsert,
} from "@firn/lake";
import { tempFolder } from "@firn/testing";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { changedWindows } from "../src/window-source.ts";

const dataset = createHealthDataset();

async function openRaw() {
  const folder = await tempFolder("changed-rows");
  const root = `file://${join(folder.path, "warehouse")}`;
  const env = lakeEnvironment({
    catalog: new MemoryCatalog({ warehouse: root }),
    store: await openFileStore({ root }),
  });
  const kernel = await openKernel({ memoryLimitMb: 128, threads: 1, tempDir: join(folder.path, "spill") });
  const connection = await kernel.connect();
  await env.catalog.createNamespace(definedIdentifier(dataset.raw).namespace);
  for (const definition of tablesOf(dataset))
    await env.catalog.createTable(definedIdentifier(definition), createTableRequest(definition));
  const table = () => loadTable(env, definedIdentifier(dataset.raw));
  return {
    env,
    connection,
    table,
    async commit(change: SnapshotChange): Promise<void> {
      const result = await postCommit(env, await stageCommit(env, { table: await table(), changes: [change] }));
      expect(result.kind).toBe("committed");
    },
    async close(): Promise<void> {
      kernel.close();
      await folder.remove();
    },
  };
}

/** Samples of one day and two types. */
function samplesSql(numbers: string, value: string): string {
  const at = "TIMESTAMPTZ '2026-03-02 08:00:00Z'";
  return `SELECT 'd' AS device_id, 'u' || n % 50 AS user_id, 's' || n AS sample_id, 'type' || n % 2 AS data_type,
      ${value} AS value, 'count' AS unit, ${at} AS start_date, ${at} AS end_date, true AS is_synced, ${at} AS created_at,
      ${at} AS payload_timestamp, '' AS app_version, ${at} AS processing_time, 'UTC' AS timezone,
      DATE '2026-03-02' AS local_date FROM ${numbers} AS r(n)`;
}

let raw: Awaited<ReturnType<typeof openRaw>>;
beforeAll(async () => {
  raw = await openRaw();
  const table = await raw.table();
  const relationSql = samplesSql("range(20000)", "1.5");
  await raw.commit({
    operation: "append",
    addedData: await stageRows(raw.connection, { env: raw.env, table, relationSql }),
  });
});
afterAll(() => raw.close());

test("of a large file whose rows were corrected only the corrected rows count as changed", async () => {
  const before = currentSnapshot((await raw.table()).metadata)!["snapshot-id"];
  for (const numbers of ["(VALUES (1), (2), (3), (5))", "(VALUES (7))"]) {
    const table = await raw.table();
    const rowsSql = samplesSql(numbers, "2.5");
    const upsert = await stageUpsert(raw.connection, {
      env: raw.env,
      table,
      rowsSql,
      keyColumns: dataset.raw.identity,
      copyOnWriteRows: 0,
    });
    expect(upsert.addedDeletes.length).toBeGreaterThan(0);
    await raw.commit({ operation: "overwrite", ...upsert });
  }
  const table = await raw.table();
  const after = currentSnapshot(table.metadata)!["snapshot-id"];
  const source = await changedWindows(raw.env, dataset, table, before, after);
  // Each correction adds a row and takes one away.
  expect(Object.fromEntries(source!.rowsByValue)).toEqual({ type0: 2, type1: 8 });
});
