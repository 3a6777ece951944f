import type { RollupDefinition } from "@firn/core";
import { postCommit, sqlName, stageCommit, stageUpsert } from "@firn/lake";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HealthModel, type ModelSample } from "./support/health-model.ts";
import { InProcessLake } from "./support/in-process-lake.ts";
import { expectAggregates, rollupOf, sample, sendSamples, user } from "./support/one-user.ts";

/** `firn rebuild`: whatever stands in the aggregates, raw decides; what is right is not written again. */
let lake: InProcessLake;
let model: HealthModel;
beforeEach(async () => {
  lake = await InProcessLake.open();
  model = new HealthModel();
});
afterEach(() => lake.close());

async function send(samples: readonly ModelSample[]): Promise<void> {
  await sendSamples(lake, samples);
  for (const one of samples) model.arrive(user, one);
}

describe("a rebuild", () => {
  /** Writes rows into an aggregate that raw does not give. */
  async function spoil(rollup: RollupDefinition, change: string, where: string): Promise<void> {
    const table = await lake.table(rollup.table);
    const columns = rollup.table.columns.map(({ name }) => sqlName(name)).join(", ");
    await lake.connection.run(`CREATE OR REPLACE TABLE spoilt AS SELECT * FROM (${await lake.scan(rollup.table)})`);
    const upsert = await stageUpsert(lake.connection, {
      env: lake.env,
      table,
      rowsSql: `SELECT ${columns} FROM (SELECT * REPLACE (${change}) FROM spoilt WHERE ${where})`,
      keyColumns: rollup.table.identity,
    });
    const staged = await stageCommit(lake.env, { table, changes: [{ operation: "overwrite", ...upsert }] });
    expect((await postCommit(lake.env, staged)).kind).toBe("committed");
  }

  it("of right tables changes nothing, however files were merged", async () => {
    await lake.close();
    lake = await InProcessLake.open({ maintain: true });
    for (let round = 0; round < 8; round++) {
      const samples = Array.from({ length: 40 }, (_, n) => ({
        ...sample(
          `${round}-${n}`,
          60 + (((round * 40 + n) * 37.77) % 90),
          `2026-03-${String(1 + (n % 28)).padStart(2, "0")}`,
        ),
      }));
      await send(samples);
      await lake.settle();
    }
    const rows = async () => {
      const tables = await Promise.all(lake.dataset.rollups.map((rollup) => lake.rows(rollup.table)));
      return tables.map((table) => table.map((row) => JSON.stringify(row)).sort());
    };
    const before = await rows();
    expect(await lake.rebuild()).toMatchObject({ rows: 0 });
    expect(await lake.rebuild({ from: "2026-03-05", to: "2026-03-06" })).toMatchObject({ rows: 0 });
    await lake.settle();
    expect(await rows()).toEqual(before);
    await expectAggregates(lake, model);
  });

  it("writes what differs and removes what raw does not have", async () => {
    await send([sample("a", 60), sample("b", 62, "2026-03-09"), sample("c", 63, "2026-04-20")]);
    await lake.settle();
    await spoil(rollupOf(lake, "daily"), "1 AS count", "aggregation_date = '2026-03-09'");
    await spoil(rollupOf(lake, "monthly"), "5.0 AS sum_value", "month = 4");
    // Weeks of which no day is left anywhere.
    await spoil(rollupOf(lake, "weekly"), "'2025-01-06' AS week_start_date", "week_start_date = '2026-03-09'");
    await spoil(rollupOf(lake, "daily"), "0 AS count", "aggregation_date = '2026-03-09'");
    expect(await lake.rebuild({ from: "2026-03-01", to: "2026-03-31" })).toMatchObject({ rows: 1 });
    await lake.settle();
    const weeks = async () =>
      (await lake.rows<{ week_start_date: string }>(rollupOf(lake, "weekly").table)).map((row) => row.week_start_date);
    expect(await weeks()).toContain("2025-01-06");
    expect(await lake.rebuild({ from: "2025-01-08" })).toMatchObject({ rows: 2 });
    await lake.settle();
    expect(await weeks()).not.toContain("2025-01-06");
    await expectAggregates(lake, model);
  });

  it("refuses dates that are none", async () => {
    await expect(lake.rebuild({ from: "2026-3-1" })).rejects.toThrow("must be dates");
  });
});
