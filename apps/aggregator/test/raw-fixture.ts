import { tablesOf } from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import type { KernelConnection, LakeEnvironment, SnapshotChange, Table } from "@firn/lake";
import { openLocalLake } from "@firn/testing";

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
  const lake = await openLocalLake("changed-rows");
  await lake.createTables(tablesOf(dataset));
  return {
    env: lake.env,
    connection: lake.connection,
    table: () => lake.load(dataset.raw),
    commit: async (change) => void (await lake.commit(dataset.raw, [change])),
    append: async (relationSql) => void (await lake.append(dataset.raw, relationSql)),
    close: () => lake.close(),
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
