import { encodeRollupRound, type RollupRound, streams, type TableDefinition } from "@firn/core";
import {
  currentSnapshot,
  definedIdentifier,
  encodeDataFiles,
  expireSnapshots,
  postCommit,
  stageCommit,
} from "@firn/lake";
import { waitFor } from "@firn/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HealthModel, type ModelSample } from "./support/health-model.ts";
import { InProcessLake } from "./support/in-process-lake.ts";
import { expectAggregates as expectAggregatesOf, rollupOf, sample, sendSamples, user } from "./support/one-user.ts";

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

async function send(samples: readonly ModelSample[], refused: readonly string[] = []): Promise<void> {
  await sendSamples(lake, samples, refused);
  for (const one of samples) model.arrive(user, one);
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

const expectAggregates = () => expectAggregatesOf(lake, model);

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
    for (const one of [sample("a", 60), sample("c", 62, "2026-05-01")]) model.arrive(user, one);
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
    const { table } = rollupOf(lake, name);
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
    const { table } = rollupOf(lake, "weekly");
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
    const { table } = rollupOf(lake, "weekly");
    await lake.restart({
      between: async () => {
        await drop(table);
        await lake.env.catalog.createTable(definedIdentifier(table), {
          schema: { type: "struct", fields: [{ id: 1, name: "other", type: "string", required: false }] },
        });
      },
    });
    await parkedReason("health.rollup.periods", /health_data_weekly_agg is not the lake's/);
    await drop(table);
    await untilNotParked("health.rollup.periods");
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
      v: 3,
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
    [
      "its staged file is damaged",
      async () => {
        const round = await lostRound();
        const location = `${lake.env.store.root}/staged.crc32_00000000.parquet`;
        const damaged = Buffer.from("PAR1 and other bytes than were written");
        await lake.env.store.put(location, damaged);
        const upserts = [{ location, bytes: damaged.length, rows: 1 }];
        return encodeRollupRound({ ...round, rollups: round.rollups.map((change) => ({ ...change, upserts })) });
      },
    ],
    [
      "the data files that shall make a table whole are gone",
      async () => {
        const round = await lostRound();
        const location = `${lake.env.store.root}/files.json`;
        const file = { content: 0, filePath: `${lake.env.store.root}/gone.parquet`, fileFormat: "PARQUET" } as const;
        const list = encodeDataFiles([{ ...file, specId: 0, partition: {}, recordCount: 1, fileSizeBytes: 7 }]);
        await lake.env.store.put(location, list);
        const whole = { location, bytes: list.byteLength, rows: 1 };
        return encodeRollupRound({
          ...round,
          rollups: round.rollups.map((change) => ({ ...change, upserts: [], whole })),
        });
      },
    ],
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
