import { encodeRollupRound, type RollupChange, rollupSubject, type StagedRows } from "@firn/core";
import {
  commitChange,
  currentFiles,
  encodeDataFiles,
  joinLocation,
  lakeEnvironment,
  normaliseLocation,
  pathOfLocation,
  stageRows,
} from "@firn/lake";
import { MemoryLogs, rollupLog } from "@firn/stream";
import { utimes } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TableUpkeep } from "../apps/catalog-writer/src/table-upkeep.ts";
import { orphanUpkeep } from "../apps/catalog-writer/src/orphan-upkeep.ts";
import { filesOfWaitingRounds } from "../apps/catalog-writer/src/waiting-rounds.ts";
import { InProcessLake } from "./support/in-process-lake.ts";
import { sample, sendSamples } from "./support/one-user.ts";

/** Files that nothing names: found in a dry run, removed by an order, and never one that something does name. */
const dayMs = 86_400_000;

let lake: InProcessLake;
beforeEach(async () => {
  lake = await InProcessLake.open();
  await sendSamples(lake, [sample("a", 60), sample("b", 61, "2026-03-02")], ["refused"]);
  await lake.settle();
  await sendSamples(lake, [sample("a", 62)]);
  await lake.settle();
});
afterEach(() => lake.close());

const tables = () => [lake.dataset.raw, lake.dataset.errors, ...lake.dataset.rollups.map((rollup) => rollup.table)];

async function maintain(order: { run?: boolean; orphans?: boolean }): Promise<Map<string, TableUpkeep>> {
  const request = { dataset: "health", ...order };
  const reply = (await lake.request("catalog-writer.maintain", request)) as { tables: TableUpkeep[] };
  return new Map(reply.tables.map((table) => [table.table, table]));
}

/** Puts a file below a table's folder that was last changed so many days ago. */
async function plant(table: { namespace: string; name: string }, name: string, days: number): Promise<string> {
  const location = normaliseLocation(joinLocation((await lake.table(table)).metadata.location, name));
  await lake.env.store.put(location, Buffer.from("left behind"));
  await makeOld(location, days);
  return location;
}

async function makeOld(location: string, days: number): Promise<void> {
  const at = new Date(Date.now() - days * dayMs);
  await utimes(pathOfLocation(location), at, at);
}

const isThere = async (location: string) => (await lake.env.store.stat(location)) !== undefined;

async function allRows(): Promise<unknown> {
  const rows: Record<string, string[]> = {};
  for (const table of tables()) rows[table.name] = (await lake.rows(table)).map((row) => JSON.stringify(row)).sort();
  return rows;
}

/** Everything that lies in the lake becomes old. */
async function ageEverything(): Promise<void> {
  for await (const { location } of lake.env.store.list(lake.env.store.root)) await makeOld(location, 30);
}

describe("orphans", () => {
  it("are told, and go when it is ordered; young ones and what is named stay", async () => {
    await maintain({ run: true, orphans: true });
    await ageEverything();
    const rows = await allRows();
    const [raw, errors, daily] = [lake.dataset.raw, lake.dataset.errors, lake.dataset.rollups[0]!.table];
    const old = [
      await plant(raw, "data/start_date_day=2026-03-01/lost.parquet", 4),
      await plant(raw, "metadata/lost-m0.avro", 4),
      await plant(raw, "data/staging/lost.parquet", 4),
      await plant(errors, "data/lost.parquet", 4),
      await plant(daily, "data/lost.parquet", 4),
    ];
    const young = await plant(raw, "data/young.parquet", 2);
    const beside = await plant(raw, "another-table/data/its.parquet", 4);

    expect((await maintain({})).get(raw.name)?.orphan_files).toBeUndefined();
    const told = await maintain({ orphans: true });
    expect([...told.values()].flatMap((table) => table.orphans ?? []).sort()).toEqual(old.toSorted());
    expect(told.get(raw.name)).toMatchObject({ orphan_files: 3, orphan_bytes: 33 });
    expect(told.get(raw.name)?.orphans_removed).toBeUndefined();
    for (const location of old) expect(await isThere(location)).toBe(true);

    await maintain({ run: true });
    for (const location of old) expect(await isThere(location)).toBe(true);
    expect((await maintain({ run: true, orphans: true })).get(raw.name)?.orphans_removed).toBe(3);
    for (const location of old) expect(await isThere(location), location).toBe(false);
    for (const location of [young, beside]) expect(await isThere(location), location).toBe(true);
    expect(await allRows()).toEqual(rows);
  });

  it("are not files that a table names in another spelling", async () => {
    const table = await lake.table(lake.dataset.raw);
    const relationSql = `SELECT * REPLACE ('x' AS sample_id) FROM (${await lake.scan(lake.dataset.raw)}) LIMIT 1`;
    const staged = await stageRows(lake.connection, { env: lake.env, table, relationSql });
    const spelled = staged.map((file) => ({ ...file, filePath: file.filePath.replace("file:///", "file:/") }));
    await commitChange(lake.env, table, { operation: "append", addedData: spelled });
    await lake.settle();
    const { data } = await currentFiles(lake.env, await lake.table(lake.dataset.raw));
    expect(data.filter((file) => /^file:\/[^/]/.test(file.filePath))).toHaveLength(1);
    await ageEverything();
    const rows = await allRows();
    const told = await maintain({ orphans: true });
    expect(told.get(lake.dataset.raw.name)?.orphans).toEqual([]);
    await maintain({ run: true, orphans: true });
    expect(await allRows()).toEqual(rows);
  });

  it("are not what a waiting round names, nor the files that its list names", async () => {
    const staged = await plant(lake.dataset.raw, "data/staging/round.parquet", 9);
    const file = await plant(lake.dataset.rollups[0]!.table, "data/whole.parquet", 9);
    const listed = await plant(lake.dataset.raw, "metadata/staging-round.stats", 9);
    const dataFile = { content: 0, filePath: file, fileFormat: "PARQUET", specId: 0, partition: {} } as const;
    await lake.env.store.put(listed, encodeDataFiles([{ ...dataFile, recordCount: 1, fileSizeBytes: 11 }]));
    await makeOld(listed, 9);
    const rowsOf = (location: string): StagedRows => ({ location: location.replace("///", "/"), bytes: 1, rows: 1 });
    const onto = { table: "none", snapshot: null };
    const change: RollupChange = {
      rollup: "daily",
      onto,
      upserts: [rowsOf(staged)],
      deletes: [],
      whole: rowsOf(listed),
    };
    const source = { sourceTable: "raw", sourceSnapshot: "1", baseSnapshot: null };
    const waiting = new MemoryLogs();
    const log = await waiting.openLog(rollupLog({ replicas: 1 }));
    const round = encodeRollupRound({ v: 3, dataset: "health", ...source, part: 0, parts: 1, rollups: [change] });
    const subject = rollupSubject("health", 1);
    await log.append([{ subject, data: Buffer.from("no round") }]);
    await log.append([{ subject, data: round }]);
    const search = (lanes: number[]) => ({
      env: lake.env,
      ageMs: 3 * dayMs,
      waiting: () => filesOfWaitingRounds(log, "health", lanes, lake.env.store),
    });
    const orphans = async (lanes: number[]): Promise<string[]> => {
      const found: string[] = [];
      for (const table of [lake.dataset.raw, lake.dataset.rollups[0]!.table])
        found.push(...(await orphanUpkeep(search(lanes), await lake.table(table), false)).orphans);
      return found.sort();
    };
    expect(await orphans([0, 1])).toEqual([]);
    expect(await orphans([0])).toEqual([file, listed, staged].sort());
    await waiting.close();
  });

  it("are left where a manifest list cannot be read: nobody can tell what it names", async () => {
    const lost = await plant(lake.dataset.raw, "data/lost.parquet", 9);
    const table = await lake.table(lake.dataset.raw);
    await lake.env.store.delete(table.metadata.snapshots[0]!["manifest-list"]!);
    const { catalog, store } = lake.env;
    const search = {
      env: lakeEnvironment({ catalog, store }),
      ageMs: 3 * dayMs,
      waiting: () => Promise.resolve([]),
    };
    await expect(orphanUpkeep(search, table, true)).rejects.toThrow(/not_found|no such|is not there|missing/i);
    expect(await isThere(lost)).toBe(true);
  });
});
