import {
  acceptedSubject,
  foreignReceivedProperty,
  identityProperty,
  positionEntry,
  positionProperty,
  rejectedSubject,
  sourceSnapshotProperty,
  streams,
} from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import type { Snapshot, Table, TableMetadata } from "@firn/lake";
import { describe, expect, it } from "vitest";
import { datasetCounts } from "./counts.ts";
import type { DatasetReading, ShardReading } from "./pipeline-reading.ts";
import { advance, isSettled, settleTarget } from "./settling.ts";

const dataset = createHealthDataset();

function table(properties: Record<string, string>, snapshots: readonly Snapshot[] = []): Table {
  const current = snapshots.at(-1)?.["snapshot-id"];
  const metadata = { properties, snapshots, ...(current !== undefined && { "current-snapshot-id": current }) };
  return {
    identifier: { namespace: [], name: "" },
    metadata: metadata as unknown as TableMetadata,
    metadataLocation: "",
  };
}

/** A chain of snapshots of the writer: each adds so many records; "replace" changes no row. */
function chain(...steps: (number | "replace")[]): Snapshot[] {
  return steps.map((step, index) => ({
    "snapshot-id": BigInt(index + 1),
    ...(index > 0 && { "parent-snapshot-id": BigInt(index) }),
    "sequence-number": index + 1,
    "timestamp-ms": index,
    summary: {
      [positionEntry]: "0",
      ...(step === "replace" ? { operation: "replace" } : { operation: "append", "added-records": String(step) }),
    },
  }));
}

interface State {
  readonly shards?: readonly Partial<ShardReading>[];
  readonly raw?: readonly Snapshot[];
  readonly accepted?: readonly number[];
  readonly rejected?: readonly number[];
  readonly source?: string;
  readonly counts?: Record<string, string>;
}

function reading({ shards = [{}, {}], raw = [], accepted = [], rejected = [], source, counts }: State): DatasetReading {
  const position = (subject: (dataset: string, shard: number) => string, at: readonly number[]) =>
    Object.fromEntries(
      at.map((value, shard) => [positionProperty(streams.validated, subject("health", shard)), String(value)]),
    );
  const empty = {
    acceptedLast: 0,
    rejectedLast: 0,
    validatedThrough: 0,
    received: 0,
    othersLast: new Map(),
  };
  return {
    dataset,
    cover: "everything",
    validatedIdentity: "now",
    rollupIdentity: "now",
    roundsLast: [],
    shards: shards.map((shard, index) => ({ ...empty, shard: index, ...shard })),
    raw: table({ ...position(acceptedSubject, accepted), ...counts }, raw),
    errors: table(position(rejectedSubject, rejected)),
    others: [],
    rollups: dataset.rollups.map(() => table(source === undefined ? {} : { [sourceSnapshotProperty]: source })),
  };
}

/** What becomes of a target for these ends of INTAKE, over some readings. */
function follow(intake: readonly number[], ...states: State[]): string[] {
  let target = settleTarget(new Map([["health", intake]]));
  return states.map((state) => {
    target = advance(target, { datasets: [reading(state)] });
    expect(isSettled(target)).toBe(target.datasets[0]!.kind === "settled");
    return target.datasets[0]!.kind;
  });
}

describe("settling", () => {
  it("is at once where nothing was ever sent", () => {
    expect(follow([0, 0], {})).toEqual(["settled"]);
  });

  it("goes from the validator to raw and errors to the rollups", () => {
    const validated = [{ validatedThrough: 5, acceptedLast: 9, rejectedLast: 8 }, {}];
    expect(
      follow(
        [5, 0],
        { shards: [{}, {}] },
        { shards: validated },
        { shards: validated, accepted: [9, 9], raw: chain(3) },
        { shards: validated, accepted: [9, 9], rejected: [8, 8], raw: chain(3) },
        { shards: validated, accepted: [9, 9], rejected: [8, 8], raw: chain(3), source: "1" },
      ),
    ).toEqual(["validating", "writing", "writing", "aggregating", "settled"]);
  });

  it("does not take positions in a lost stream for positions in the one that is there", () => {
    const shards = [{ validatedThrough: 5, acceptedLast: 3 }];
    const identity = (value: string) => ({ counts: { [identityProperty(streams.validated)]: value } });
    const written = { shards, accepted: [9], rejected: [9], raw: chain(3), source: "1" };
    expect(follow([5], { ...written, ...identity("before") }, { ...written, ...identity("now") })).toEqual([
      "writing",
      "settled",
    ]);
  });

  it("waits for tables that are gone, and says nothing of them where nothing was sent", () => {
    const written = { shards: [{ validatedThrough: 5, acceptedLast: 3 }], accepted: [3], raw: chain(3), source: "1" };
    const gone = (one: "raw" | "errors" | "rollups") => {
      const all = reading(written);
      const without = { ...all, [one]: one === "rollups" ? all.rollups.map(() => undefined) : undefined };
      expect(datasetCounts(without, false)).toMatchObject({ received: 0 });
      const target = advance(settleTarget(new Map([["health", [5]]])), { datasets: [without] });
      return target.datasets[0]!.kind;
    };
    expect([gone("raw"), gone("errors"), gone("rollups")]).toEqual(["writing", "settled", "aggregating"]);
  });

  it("is not held up by what comes later", () => {
    const first = [{ validatedThrough: 5, acceptedLast: 9 }];
    const later = [{ validatedThrough: 20, acceptedLast: 40 }];
    expect(
      follow(
        [5],
        { shards: first, accepted: [0] },
        { shards: later, accepted: [9], raw: chain(3) },
        { shards: later, accepted: [20], raw: chain(3, 4, 5), source: "2" },
      ),
    ).toEqual(["writing", "aggregating", "settled"]);
  });

  it("waits until the writer has taken up what others have committed", () => {
    const shards = [{ validatedThrough: 5, acceptedLast: 3 }];
    const foreign = { ...chain(3, 2).at(-1)!, summary: { operation: "append" as const, "added-records": "2" } };
    const raw = [chain(3)[0]!, foreign];
    expect(follow([5], { shards, accepted: [3], raw, source: "2" })).toEqual(["writing"]);
  });

  it.each([
    ["settled", "raw itself", chain(3), "1"],
    ["aggregating", "an older snapshot with other rows", chain(3, 2), "1"],
    ["settled", "an older snapshot with the same rows", chain(3, "replace", 0), "1"],
    ["aggregating", "a snapshot that has expired", chain(3, 2).slice(1), "7"],
    ["settled", "the expired parent of a snapshot without rows", chain(3, "replace").slice(1), "1"],
    ["aggregating", "nothing, and raw has rows", chain(0, 3), undefined],
    ["settled", "nothing, and raw never had a row", chain(0, "replace"), undefined],
  ])("is %s where the rollups equal %s", (kind, _, raw, source) => {
    const state = { raw, ...(source === undefined ? {} : { source }) };
    expect(follow([0], { shards: [{}], ...state })).toEqual([kind]);
  });
});

describe("counts", () => {
  const counts = { "firn.count.stored": "7", "firn.count.duplicates": "2", "firn.count.deleted": "1" };
  it("say what the validator received while it is ahead of the tables", () => {
    const moving = reading({ shards: [{ acceptedLast: 9, received: 15 }], accepted: [5], counts });
    expect(datasetCounts(moving, false)).toEqual({
      received: 15,
      stored: 7,
      corrected: 0,
      duplicates: 2,
      rejected: 0,
      deleted: 1,
    });
    expect(datasetCounts(moving, true).received).toBe(10);
  });
  it("hold the records of other engines", () => {
    const more = { ...counts, [foreignReceivedProperty]: "2" };
    expect(datasetCounts(reading({ shards: [{ received: 8 }], counts: more }), true).received).toBe(10);
  });
  it("never hide a difference at rest", () => {
    const atRest = reading({ shards: [{ acceptedLast: 9, received: 11 }], accepted: [9], counts });
    expect(datasetCounts(atRest, true).received).toBe(11);
  });
});
