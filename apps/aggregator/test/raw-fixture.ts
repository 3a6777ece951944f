import { tablesOf } from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import {
  createTableRequest,
  definedIdentifier,
  type KernelConnection,
  lakeEnvironment,
  type LakeEnvironment,
  loadTable,
  MemoryCatalog,
  openFileStore,
  openKernel,
  postCommit,
  type SnapshotChange,
  stageCommit,
  stageRows,
  type Table,
} from "@firn/lake";
import { tempFolder } from "@firn/testing";
import { join } from "node:path";
import { expect } from "vitest";

export const dataset = createHealthDataset();

export interface RawFixture {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  table(): Promise<Table>;
  commit(change: SnapshotChange): Promise<void>;
  append(relationSql: string): Promise<void>;
  close(): Promise<void>;
}

/** The health lake's tables, empty, in a folder of their own. */
export async function openRaw(): Promise<RawFixture> {
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
  const commit = async (change: SnapshotChange) => {
    const result = await postCommit(env, await stageCommit(env, { table: await table(), changes: [change] }));
    expect(result.kind).toBe("committed");
  };
  return {
    env,
    connection,
    table,
    commit,
    async append(relationSql) {
      const addedData = await stageRows(connection, { env, table: await table(), relationSql });
      await commit({ operation: "append", addedData });
    },
    async close() {
      kernel.close();
      await folder.remove();
    },
  };
}

/** Samples of one day and two types. */
export function samplesSql(numbers: string, value: string, startDate = "TIMESTAMPTZ '2026-03-02 08:00:00Z'"): string {
  const at = "TIMESTAMPTZ '2026-03-02 08:00:00Z'";
  return `SELECT 'd' AS device_id, 'u' || n % 50 AS user_id, 's' || n AS sample_id, 'type' || n % 2 AS data_type,
      ${value} AS value, 'count' AS unit, ${startDate} AS start_date, ${at} AS end_date, true AS is_synced, ${at} AS created_at,
      ${at} AS payload_timestamp, '' AS app_version, ${at} AS processing_time, 'Etc/GMT+' || n % 7 AS timezone,
      DATE '2026-03-02' AS local_date FROM ${numbers} AS r(n)`;
}
