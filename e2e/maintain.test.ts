import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TableUpkeep } from "../apps/catalog-writer/src/table-upkeep.ts";
import { InProcessLake } from "./support/in-process-lake.ts";

/** `firn maintain`: says what there is to do, does it when it is told to, and changes no row. */
const hourMs = 3_600_000;

let lake: InProcessLake;
beforeEach(async () => {
  lake = await InProcessLake.open();
});
afterEach(() => lake.close());

async function maintain(run: boolean): Promise<Map<string, TableUpkeep>> {
  const { tables } = (await lake.request("catalog-writer.maintain", { dataset: "health", run })) as {
    tables: TableUpkeep[];
  };
  return new Map(tables.map((table) => [table.table, table]));
}

/** Commits of their own: each leaves small files and, for the corrections, deletes. */
async function sendRounds(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const samples = Array.from({ length: 20 }, (_, n) => ({
      id: n < 5 ? `corrected-${n}` : `${round}-${n}`,
      type: "heartRate",
      value: 60 + round,
      unit: "count/min",
      startDate: `2026-03-0${1 + (n % 2)}T08:00:00Z`,
      endDate: `2026-03-0${1 + (n % 2)}T08:00:00Z`,
    }));
    await lake.send([{ deviceId: "phone", userId: "ada", samples: [...samples, { id: `bad-${round}` }] }]);
    await lake.settle();
  }
}

const tablesOf = () => [lake.dataset.raw, lake.dataset.errors, ...lake.dataset.rollups.map((rollup) => rollup.table)];

async function allRows(): Promise<Record<string, string[]>> {
  const tables: Record<string, string[]> = {};
  for (const table of tablesOf())
    tables[table.name] = (await lake.rows(table)).map((row) => JSON.stringify(row)).sort();
  return tables;
}

describe("maintenance on request", () => {
  it("plans without a change; then merges everything and expires old snapshots, and no row changes", async () => {
    await sendRounds(5);
    const rows = await allRows();
    const planned = await maintain(false);
    expect([...planned.keys()]).toEqual(tablesOf().map((table) => table.name));
    const raw = planned.get("health_data_raw");
    expect(raw).toMatchObject({ files_to_merge: raw?.data_files, snapshots_to_expire: 0 });
    expect(raw?.data_files).toBeGreaterThan(5);
    expect(raw?.files_merged).toBeUndefined();
    expect(await maintain(false)).toEqual(planned);

    const done = await maintain(true);
    expect(done.get("health_data_raw")).toMatchObject({
      rows: 5 + 5 * 15,
      data_files: 2,
      delete_files: 0,
      files_to_merge: 0,
      bytes_to_merge: 0,
      files_written: 2,
      snapshots_expired: 0,
    });
    expect(done.get("health_data_raw")?.files_merged).toBe(raw?.data_files);
    expect(done.get("health_data_errors")).toMatchObject({ rows: 5, data_files: 1 });
    expect(await allRows()).toEqual(rows);

    lake.clock.aheadMs = hourMs;
    const later = await maintain(false);
    expect(later.get("health_data_raw")?.snapshots_to_expire).toBeGreaterThan(3);
    const expired = await maintain(true);
    for (const [name, table] of expired) {
      expect(table.snapshots_expired, name).toBe(later.get(name)?.snapshots_to_expire);
      expect(table.snapshots_to_expire, name).toBe(0);
    }
    expect(await allRows()).toEqual(rows);
  });

  it("goes on beside ingest: what comes in meanwhile is stored, corrected and counted as ever", async () => {
    await sendRounds(2);
    const [, done] = await Promise.all([sendRounds(3), maintain(true)]);
    await lake.settle();
    expect(done.size).toBe(5);
    const values = await lake.rows<{ sample_id: string; value: number }>(lake.dataset.raw, ["sample_id", "value"]);
    expect(values.filter((row) => row.sample_id.startsWith("corrected")).map((row) => row.value)).toEqual(
      Array(5).fill(62),
    );
    const { stored, received, ...others } = await lake.counts();
    expect(stored).toBe(values.length);
    expect(received).toBe(Object.values(others).reduce((sum, n) => sum + n, stored));
  });

  it("writes many manifests anew, and no row changes; a table alone, and no longer than it may", async () => {
    // A day each: no two files can be merged.
    for (let day = 10; day < 22; day++) {
      const at = `2026-03-${day}T08:00:00Z`;
      const sample = { id: at, type: "heartRate", value: 60 + day, unit: "count/min", startDate: at, endDate: at };
      await lake.send([{ deviceId: "phone", userId: "ada", samples: [sample] }]);
      await lake.settle();
    }
    const rows = await allRows();
    const request = { dataset: "health", run: true, table: "health_data_raw" };
    const asked = async (more: object): Promise<TableUpkeep[]> =>
      ((await lake.request("catalog-writer.maintain", { ...request, ...more })) as { tables: TableUpkeep[] }).tables;
    const [planned] = await asked({ run: false });
    expect(planned!.manifests_to_rewrite).toBeGreaterThanOrEqual(8);
    expect(await asked({ limit_ms: 0 })).toMatchObject([
      { table: "health_data_raw", files_merged: 0, manifests_rewritten: 0, data_files: planned!.data_files },
    ]);
    const [report] = await asked({ limit_ms: 60_000 });
    expect(report).toMatchObject({
      files_merged: 0,
      manifests_rewritten: planned!.manifests_to_rewrite,
      manifests_to_rewrite: 0,
      manifests: 1,
    });
    expect(report!.statistics).toBe("none");
    expect((await asked({ statistics: true }))[0]!.statistics).toBe("current");
    expect(await allRows()).toEqual(rows);
    await sendRounds(1);
    expect((await asked({ run: false }))[0]!.statistics).toBe("older");
    expect((await lake.counts()).stored).toBe(12 + 20);
  });

  it("refuses a request that is none", async () => {
    await expect(lake.request("catalog-writer.maintain", { dataset: "wealth" })).rejects.toThrow(/no dataset wealth/);
    await expect(lake.request("catalog-writer.maintain", { run: true })).rejects.toThrow(/dataset must be/);
    await expect(lake.request("catalog-writer.maintain", { dataset: "health", run: 1 })).rejects.toThrow(/run must be/);
    await expect(lake.request("catalog-writer.maintain", { dataset: "health", table: 1 })).rejects.toThrow(
      /table must/,
    );
    await expect(lake.request("catalog-writer.maintain", { dataset: "health", limit_ms: "x" })).rejects.toThrow(
      /limit_ms must/,
    );
  });
});
