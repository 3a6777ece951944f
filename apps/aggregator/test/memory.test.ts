import { decodeRollupRound, rollupSubject, tablesOf } from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import type { Kernel } from "@firn/lake";
import { silentLogger } from "@firn/service";
import { MemoryLogs, rollupLog } from "@firn/stream";
import { type LocalLake, openLocalLake, waitFor } from "@firn/testing";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AggregatorStage } from "./aggregator-stage.ts";

const dataset = createHealthDataset();
const types = 8;

/** One row a type and so one file a type: a slice of fewer rows reads fewer files. */
async function fillRaw(lake: LocalLake): Promise<void> {
  await lake.createTables(tablesOf(dataset));
  const at = "TIMESTAMPTZ '2026-03-02 08:00:00Z'";
  await lake.append(
    dataset.raw,
    `SELECT 'd' AS device_id, 'u' AS user_id, 's' || n AS sample_id, 'type' || n AS data_type, 1.5 AS value,
      'count' AS unit, ${at} AS start_date, ${at} AS end_date, true AS is_synced, ${at} AS created_at,
      ${at} AS payload_timestamp, '' AS app_version, ${at} AS processing_time, 'UTC' AS timezone,
      DATE '2026-03-02' AS local_date FROM range(${types}) AS r(n)`,
  );
}

/** A kernel without the memory for rows of more files than this in one statement. */
function smallKernel(kernel: Kernel, filesMax: number, refused: () => void): Pick<Kernel, "connect"> {
  return {
    async connect() {
      const connection = await kernel.connect();
      const run = (sql: string): Promise<void> => {
        if (!sql.includes("slice_day_rows AS") || sql.split(".parquet").length - 1 <= filesMax)
          return connection.run(sql);
        refused();
        return Promise.reject(new Error("Out of Memory Error: failed to allocate data of size 8.0 MiB"));
      };
      return { ...connection, run };
    },
  };
}

test("a round that memory does not suffice for is computed in halves, and halves of halves", async () => {
  const lake = await openLocalLake("aggregator-memory");
  const streams = new MemoryLogs();
  const log = await streams.openLog(rollupLog({ replicas: 1 }));
  await fillRaw(lake);
  let refusals = 0;
  const stage = await AggregatorStage.open({
    env: lake.env,
    kernel: smallKernel(lake.kernel, 2, () => refusals++),
    dataset,
    log,
    streams,
    defaultZone: "UTC",
    folder: join(lake.folder, "aggregator"),
    logger: silentLogger(),
    rowsPerSlice: types,
    backlog: () => Promise.resolve(0),
    rounded: () => undefined,
  });
  const ending = new AbortController();
  const running = stage.run(ending.signal);
  try {
    const subject = rollupSubject(dataset.name, 0);
    await waitFor(async () => (await log.last(subject)) !== undefined, { limitMs: 20_000, what: "a round" });
    const round = decodeRollupRound((await log.last(subject))!.data);
    expect(refusals).toBe(2);
    expect(round.rollups[0]?.upserts.map((staged) => staged.rows)).toEqual([2, 2, 2, 2]);
  } finally {
    ending.abort();
    await running;
    await lake.close();
  }
});
