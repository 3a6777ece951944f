import { encodeRollupRound, type RollupDefinition, type RollupRound, streams, type TableDefinition } from "@firn/core";
import {
  currentSnapshot,
  definedIdentifier,
  expireSnapshots,
  postCommit,
  sqlName,
  stageCommit,
  stageUpsert,
} from "@firn/lake";
import { waitFor } from "@firn/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HealthModel, type ModelSample } from "./support/health-model.ts";
import { InProcessLake } from "./support/in-process-lake.ts";

/**
 * Tables that others change: what was acknowledged and is gone from raw or errors parks the writer, what is derived comes
 * from raw again.
 */
const limitMs = 20_000;

let lake: InProcessLake;
let model: HealthModel;
beforeEach(async () => {
  lake = await InProcessLake.open();
  model = new HealthModel();
});
afterEach(() => lake.close());

const sample = (id: string, value: number, day = "2026-03-01"): ModelSample => ({
  id,
  type: "heartRate",
  value,
  startMs: Date.parse(`${day}T08:00:00Z`),
});

/** Sends samples; `refused` are ids of some without a value, which become dead letters. */
async function send(samples: readonly ModelSample[], refused: readonly string[] = []): Promise<void> {
  const good = samples.map(({ id, type, value, startMs }) => {
    const at = new Date(startMs).toISOString();
    return { id, type, value, unit: "count/min", startDate: at, endDate: at };
  });
  await lake.send([{ deviceId: "phone", userId: "ada", samples: [...good, ...refused.map((id) => ({ id }))] }]);
  for (const one of samples) model.arrive("ada", one);
}

async function parkedReason(what: string, pattern: RegExp) {
  return waitFor(
    async () => {
      const state = await lake.parked(what);
      return state && pattern.test(state.reason) ? state : undefined;
    },
    { limitMs, what: `${what} to park` },
  );
}

const untilNotParked = (what: string) =>
  waitFor(async () => (await lake.parked(what)) === undefined, { limitMs, what: `${what} to go on` });

const snapshotOf = async (definition: TableDefinition) =>
  currentSnapshot((await lake.table(definition)).metadata)?.["snapshot-id"];

const uuidOf = async (definition: TableDefinition) => (await lake.table(definition)).metadata["table-uuid"];

/** Sets main to a snapshot, as `rollback_to_snapshot` of other engines does. */
async function setMain(definition: TableDefinition, snapshot: bigint | undefined): Promise<void> {
  if (snapshot === undefined) throw new Error("no snapshot to go back to");
  await lake.env.catalog.commitTable(definedIdentifier(definition), {
    requirements: [],
    updates: [{ action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": snapshot }],
  });
}

const drop = (definition: TableDefinition) => lake.env.catalog.dropTable(definedIdentifier(definition));

const rawIds = async () =>
  (await lake.rows<{ sample_id: string }>(lake.dataset.raw, ["sample_id"])).map((row) => row.sample_id).sort();

async function expectAggregates(): Promise<void> {
  for (const rollup of lake.dataset.rollups) {
    const rows = await lake.rows<Record<string, unknown>>(rollup.table);
    const found = rows.map((row) => [
      row[rollup.periodColumns.start],
      row["count"],
      Number(row["sum_value"]).toFixed(6),
    ]);
    const expected = [...model.windows(rollup.period)].map(([key, window]) => [
      (JSON.parse(key) as string[])[2],
      window.count,
      window.sum_value.toFixed(6),
    ]);
    expect(found.sort()).toEqual(expected.sort());
  }
}

const rollupOf = (name: string): RollupDefinition => {
  const found = lake.dataset.rollups.find((rollup) => rollup.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};

describe("raw that was rolled back", () => {
  it("parks with the snapshot to go back to, and goes on by itself when it is back", async () => {
    await send([sample("a", 60)]);
    await lake.settle();
    const before = await snapshotOf(lake.dataset.raw);
    await send([sample("b", 61)]);
    await lake.settle();
    const after = await snapshotOf(lake.dataset.raw);
    await setMain(lake.dataset.raw, before);
    const state = await parkedReason("health.accepted", /health_data_raw was rolled back/);
    expect(state.fix).toContain(`set main to snapshot ${after}`);
    expect(state.fix).toContain("firn resume health.accepted --accept-loss");
    await lake.restart({ forget: true });
    await parkedReason("health.accepted", /rolled back/);
    await setMain(lake.dataset.raw, after);
    await untilNotParked("health.accepted");
    await send([sample("c", 62)]);
    await lake.settle();
    expect(await rawIds()).toEqual(["a", "b", "c"]);
    await expectAggregates();
    expect(await lake.counts()).toMatchObject({ received: 3, stored: 3, duplicates: 0 });
  });

  it("takes what the stream still has when the loss is accepted, and aggregates follow", async () => {
    await send([sample("a", 60)]);
    await lake.settle();
    const before = await snapshotOf(lake.dataset.raw);
    await send([sample("b", 61, "2026-04-01")]);
    await lake.settle();
    await send([sample("c", 62, "2026-05-01")]);
    await lake.settle();
    await setMain(lake.dataset.raw, before);
    await parkedReason("health.accepted", /rolled back/);
    await lake.order("health.accepted", { acceptLoss: true });
    await untilNotParked("health.accepted");
    await lake.settle();
    // The last message of a subject is never trimmed.
    expect(await rawIds()).toEqual(["a", "c"]);
    model = new HealthModel();
    for (const one of [sample("a", 60), sample("c", 62, "2026-05-01")]) model.arrive("ada", one);
    await expectAggregates();
  });

  it("is not mistaken for raw whose snapshots have expired", async () => {
    await send([sample("a", 60)]);
    await lake.settle();
    await send([sample("b", 61)]);
    await lake.settle();
    await lake.restart({
      forget: true,
      between: async () => {
        // A merge comes last, and what it merged expires.
        const table = await lake.table(lake.dataset.raw);
        const staged = await stageCommit(lake.env, { table, changes: [{ operation: "replace", addedData: [] }] });
        const merged = await postCommit(lake.env, staged);
        const current = currentSnapshot(merged.table.metadata);
        const old = merged.table.metadata.snapshots.filter((one) => one !== current);
        await expireSnapshots(
          lake.env,
          merged.table,
          old.map((one) => one["snapshot-id"]),
        );
      },
    });
    await send([sample("c", 62)]);
    await lake.settle();
    expect(await lake.parked("health.accepted")).toBeUndefined();
    expect(await rawIds()).toEqual(["a", "b", "c"]);
    await expectAggregates();
  });

  it("parks when main is a new beginning, as CREATE OR REPLACE makes it", async () => {
    await send([sample("a", 60)]);
    await lake.settle();
    const table = await lake.table(lake.dataset.raw);
    const { "current-snapshot-id": _, ...empty } = table.metadata;
    const staged = await stageCommit(lake.env, {
      table: { ...table, metadata: empty },
      changes: [{ operation: "append", addedData: [] }],
    });
    await lake.env.catalog.commitTable(staged.identifier, { ...staged.commit, requirements: [] });
    await parkedReason("health.accepted", /was at position \d+, and its snapshot is at 0/);
  });
});

describe("raw or errors that were dropped or replaced", () => {
  it("park without being made anew, also after a restart; an order makes a new table", async () => {
    await send([sample("a", 60)], ["refused"]);
    await lake.settle();
    await drop(lake.dataset.raw);
    await drop(lake.dataset.errors);
    await parkedReason("health.accepted", /health_data_raw is gone/);
    await parkedReason("health.rejected", /health_data_errors is gone/);
    await lake.restart();
    await parkedReason("health.accepted", /is gone/);
    await send([sample("b", 61)]);
    expect(await lake.env.catalog.tableExists(definedIdentifier(lake.dataset.raw))).toBe(false);
    for (const part of ["health.accepted", "health.rejected"]) {
      await lake.order(part, { acceptLoss: true });
      await untilNotParked(part);
    }
    await lake.settle();
    expect(await rawIds()).toEqual(["a", "b"]);
    await expectAggregates();
    await lake.restart();
    await send([sample("c", 62)]);
    await lake.settle();
    expect(await rawIds()).toEqual(["a", "b", "c"]);
  });

  it("park while another table has the name; an order takes it when it has the columns", async () => {
    await send([sample("a", 60)]);
    await lake.settle();
    await drop(lake.dataset.raw);
    await lake.env.catalog.createTable(definedIdentifier(lake.dataset.raw), {
      schema: { type: "struct", fields: [{ id: 1, name: "user_id", type: "string", required: false }] },
    });
    const state = await parkedReason("health.accepted", /another one than the lake has made.*has no device_id/);
    expect(state.fix).toContain("drop the one that is there");
    await lake.order("health.accepted", { acceptLoss: true });
    await parkedReason("health.accepted", /has no device_id/);
    await drop(lake.dataset.raw);
    await lake.order("health.accepted", { acceptLoss: true });
    await untilNotParked("health.accepted");
    await lake.settle();
    expect(await rawIds()).toEqual(["a"]);
    await expectAggregates();
  });
});

describe("an aggregate that was dropped, replaced or rolled back", () => {
  it.each(["daily", "weekly"])("comes from raw again: %s dropped while nothing else happens", async (name) => {
    await send([sample("a", 60), sample("b", 62, "2026-03-09")]);
    await lake.settle();
    const { table } = rollupOf(name);
    const others = lake.dataset.rollups.filter((rollup) => rollup.name !== name);
    const counts = () =>
      Promise.all(others.map(async (one) => (await lake.table(one.table)).metadata.snapshots.length));
    const before = await uuidOf(table);
    await drop(table);
    await waitFor(async () => (await uuidOf(table)) !== before, { limitMs, what: "the table to be made anew" });
    await lake.settle();
    await expectAggregates();
    expect(Math.max(...(await counts()))).toBeLessThanOrEqual(3);
  });

  it("comes from raw again when it was dropped between two runs, with rows that came since", async () => {
    await send([sample("a", 60), sample("b", 62, "2026-03-09")]);
    await lake.settle();
    await lake.restart({
      between: async () => {
        for (const rollup of lake.dataset.rollups) await drop(rollup.table);
        await send([sample("a", 70)]);
      },
    });
    await lake.settle();
    await expectAggregates();
  });

  it("comes from raw again when it was rolled back", async () => {
    await send([sample("a", 60)]);
    await lake.settle();
    const { table } = rollupOf("weekly");
    const before = await snapshotOf(table);
    await send([sample("b", 61), sample("c", 62, "2026-03-20")]);
    await lake.settle();
    await setMain(table, before);
    await waitFor(async () => (await lake.rows(table)).length === 2, { limitMs, what: "the rows to come back" });
    await lake.settle();
    await expectAggregates();
  });

  it("parks only while a table without its columns has its name", async () => {
    await send([sample("a", 60)]);
    await lake.settle();
    const { table } = rollupOf("weekly");
    await lake.restart({
      between: async () => {
        await drop(table);
        await lake.env.catalog.createTable(definedIdentifier(table), {
          schema: { type: "struct", fields: [{ id: 1, name: "other", type: "string", required: false }] },
        });
      },
    });
    await parkedReason("health.rollup", /health_data_weekly_agg is not the lake's/);
    await drop(table);
    await untilNotParked("health.rollup");
    await lake.settle();
    await expectAggregates();
  });
});

describe("a round that cannot be written", () => {
  const lostRound = (): Promise<RollupRound> => {
    const gone = [{ location: `${lake.env.store.root}/gone.parquet`, bytes: 7, rows: 1 }];
    return Promise.all(
      lake.dataset.rollups.map(async (rollup) => {
        const { metadata } = await lake.table(rollup.table);
        const snapshot = String(metadata["current-snapshot-id"]);
        return { rollup: rollup.name, onto: { table: metadata["table-uuid"], snapshot }, upserts: gone, deletes: [] };
      }),
    ).then((rollups) => ({
      v: 2,
      dataset: "health",
      sourceTable: "raw",
      sourceSnapshot: "1",
      baseSnapshot: null,
      part: 0,
      parts: 1,
      rollups,
    }));
  };

  it.each([
    ["its staged files are gone", async () => encodeRollupRound(await lostRound())],
    ["it is of another version", () => Promise.resolve(Buffer.from('{"v":1}'))],
    ["it has nothing for a table", async () => encodeRollupRound({ ...(await lostRound()), rollups: [] })],
    [
      "a table has other rows than it was computed on",
      async () => {
        const round = await lostRound();
        const rollups = round.rollups.map(({ rollup, onto }) => ({
          rollup,
          onto: { ...onto, snapshot: null },
          upserts: [],
          deletes: [],
        }));
        return encodeRollupRound({ ...round, rollups });
      },
    ],
  ])("is left out and computed anew: %s", async (_, bytes) => {
    await send([sample("a", 60), sample("b", 62, "2026-03-09")]);
    await lake.settle();
    await lake.restart({
      between: async () => {
        await lake.appendRound(await bytes());
        await send([sample("a", 70)]);
      },
    });
    await lake.settle();
    await expectAggregates();
    await send([sample("c", 63)]);
    await lake.settle();
    await expectAggregates();
  });

  it("a stream of rounds that was made anew is taken up, and nothing is parked", async () => {
    await send([sample("a", 60)]);
    await lake.settle();
    await lake.loseStreams([streams.rollup]);
    await send([sample("b", 61, "2026-03-02")]);
    await lake.settle();
    await lake.restart();
    await send([sample("a", 70)]);
    await lake.settle();
    await expectAggregates();
    expect(await lake.parked("health.rollup")).toBeUndefined();
  });
});

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
    await expectAggregates();
  });

  it("writes what differs and removes what raw does not have", async () => {
    await send([sample("a", 60), sample("b", 62, "2026-03-09"), sample("c", 63, "2026-04-20")]);
    await lake.settle();
    await spoil(rollupOf("daily"), "1 AS count", "aggregation_date = '2026-03-09'");
    await spoil(rollupOf("monthly"), "5.0 AS sum_value", "month = 4");
    // Weeks of which no day is left anywhere.
    await spoil(rollupOf("weekly"), "'2025-01-06' AS week_start_date", "week_start_date = '2026-03-09'");
    await spoil(rollupOf("daily"), "0 AS count", "aggregation_date = '2026-03-09'");
    expect(await lake.rebuild({ from: "2026-03-01", to: "2026-03-31" })).toMatchObject({ rows: 1 });
    await lake.settle();
    const weeks = async () =>
      (await lake.rows<{ week_start_date: string }>(rollupOf("weekly").table)).map((row) => row.week_start_date);
    expect(await weeks()).toContain("2025-01-06");
    expect(await lake.rebuild({ from: "2025-01-08" })).toMatchObject({ rows: 2 });
    await lake.settle();
    expect(await weeks()).not.toContain("2025-01-06");
    await expectAggregates();
  });

  it("refuses dates that are none", async () => {
    await expect(lake.rebuild({ from: "2026-3-1" })).rejects.toThrow("must be dates");
  });
});
