import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "@firn/testing";
import { HealthModel, type ModelSample } from "./support/health-model.ts";
import { InProcessLake } from "./support/in-process-lake.ts";

/**
 * A stream that is not the one that the tables belong to: raw and errors are parked, with reason and fix, until somebody
 * decides; aggregates are derived and follow by themselves.
 */
const limitMs = 20_000;
const parts = ["health.accepted", "health.rejected"];
/** Aggregates are made from raw again: it does not matter whether they wait for an order too. */
const rollup = "health.rollup";

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

async function send(...samples: readonly ModelSample[]): Promise<void> {
  const of = samples.map(({ id, type, value, startMs }) => {
    const at = new Date(startMs).toISOString();
    return { id, type, value, unit: "count/min", startDate: at, endDate: at };
  });
  await lake.send([{ deviceId: "phone", userId: "ada", samples: [...of, { id: "refused" }] }]);
}

const untilParked = () =>
  waitFor(async () => (await Promise.all(parts.map((part) => lake.parked(part)))).every(Boolean), {
    limitMs,
    what: "every part to park",
  });

const untilResumed = () =>
  waitFor(async () => (await parkedParts()).length === 0, { limitMs, what: "every part to go on" });

async function parkedParts(): Promise<string[]> {
  const states = await Promise.all([...parts, rollup].map(async (part) => ((await lake.parked(part)) ? [part] : [])));
  return states.flat();
}

async function acceptLoss(): Promise<void> {
  for (const part of await parkedParts()) await lake.order(part, { acceptLoss: true });
  await untilResumed();
  await lake.settle();
}

const rawValues = async () => {
  const rows = await lake.rows<{ sample_id: string; value: number }>(lake.dataset.raw, ["sample_id", "value"]);
  return Object.fromEntries(rows.map((row) => [row.sample_id, row.value]));
};

async function expectAggregates(): Promise<void> {
  for (const rollup of lake.dataset.rollups) {
    const rows = await lake.rows<Record<string, unknown>>(rollup.table);
    const found = rows.map((row) => [
      row[rollup.periodColumns.start],
      row["count"],
      row["sum_value"],
      row["max_value"],
    ]);
    const expected = [...model.windows(rollup.period)].map(([key, window]) => [
      (JSON.parse(key) as string[])[2],
      window.count,
      window.sum_value,
      window.max_value,
    ]);
    expect(found.sort()).toEqual(expected.sort());
  }
}

async function expectCounts(): Promise<void> {
  const { received, stored, corrected, duplicates, rejected, deleted } = await lake.counts();
  expect(received).toBe(stored + corrected + duplicates + rejected + deleted);
}

describe("streams that were made anew", () => {
  it("park the writer with reason and fix; after accept-loss it takes everything that they hold", async () => {
    await send(sample("a", 60), sample("b", 61));
    await lake.settle();
    await lake.loseStreams();
    await send(sample("a", 70), sample("c", 62, "2026-03-02"));
    await untilParked();
    expect(await lake.parked("health.accepted")).toMatchObject({
      stage: "catalog-writer",
      shard: "health.accepted",
      reason: expect.stringMatching(/VALIDATED was made anew.*health_data_raw/),
      fix: expect.stringContaining("firn resume health.accepted --accept-loss"),
    });
    expect(await rawValues()).toEqual({ a: 60, b: 61 });

    await acceptLoss();
    expect(await rawValues()).toEqual({ a: 70, b: 61, c: 62 });
    for (const one of [sample("b", 61), sample("a", 70), sample("c", 62, "2026-03-02")]) model.arrive("ada", one);
    await expectAggregates();
    await expectCounts();
    expect(await lake.counts()).toMatchObject({ received: 6, stored: 3, corrected: 1, rejected: 1, duplicates: 1 });

    await lake.restart();
    await send(sample("d", 63));
    await lake.settle();
    expect(Object.keys(await rawValues()).sort()).toEqual(["a", "b", "c", "d"]);
    await expectCounts();
  });

  it("are taken from a sequence on when that is ordered", async () => {
    await send(sample("a", 60));
    await lake.settle();
    await lake.loseStreams();
    await send(sample("b", 61));
    await send(sample("c", 62));
    await untilParked();
    const validated = await lake.lastValidated();
    for (const part of parts) await lake.order(part, { from: validated - 1 });
    await waitFor(async () => (await parkedParts()).every((part) => part === rollup), { limitMs });
    await acceptLoss();
    expect(await rawValues()).toEqual({ a: 60, c: 62 });
  });

  it("stay parked, and the order is forgotten, when it names a sequence that is not there", async () => {
    await send(sample("a", 60));
    await lake.settle();
    await lake.loseStreams();
    await untilParked();
    await lake.order("health.accepted", { from: 1_000 });
    const ahead = async () => (await lake.parked("health.accepted"))?.reason.includes("position 999");
    await waitFor(ahead, { limitMs, what: "another reason" });
    await acceptLoss();
    await send(sample("b", 61));
    await lake.settle();
    expect(await rawValues()).toEqual({ a: 60, b: 61 });
  });
});

describe("streams that were restored from an older copy", () => {
  it("park the writer; after accept-loss what comes again counts once, and aggregates follow", async () => {
    await send(sample("a", 60));
    await lake.settle();
    const copy = lake.copyStreams();
    await send(sample("b", 61));
    await lake.settle();
    await lake.restoreStreams(copy);
    await untilParked();
    expect(await lake.parked("health.accepted")).toMatchObject({ reason: expect.stringMatching(/ahead of stream/) });

    await acceptLoss();
    await send(sample("b", 61), sample("c", 62, "2026-04-01"));
    await lake.settle();
    expect(await rawValues()).toEqual({ a: 60, b: 61, c: 62 });
    for (const one of [sample("a", 60), sample("b", 61), sample("c", 62, "2026-04-01")]) model.arrive("ada", one);
    await expectAggregates();
    await expectCounts();
  });
});
