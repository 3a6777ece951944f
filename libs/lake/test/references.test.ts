import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changeSchema } from "../src/commit/evolve-table.ts";
import {
  dropReference,
  fastForward,
  rollbackTo,
  rollbackToTime,
  setBranch,
  setCurrentSnapshot,
  setTag,
} from "../src/commit/references.ts";
import type { Table } from "../src/commit/table.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { resolveSnapshot, type SnapshotChoice } from "../src/scan/resolve-snapshot.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

let lake: LakeFixture;
beforeAll(async () => {
  lake = await openFixture();
});
afterAll(() => lake.close());

async function append(table: Table, id: number): Promise<Table> {
  const addedData = await stageRows(lake.connection, { env: lake.env, table, relationSql: `SELECT ${id} AS id` });
  return lake.commit(table, { operation: "append", addedData });
}

/** A table after three appends of a row each, and its snapshot ids, oldest first. */
async function threeSnapshots(): Promise<{ table: Table; ids: bigint[] }> {
  let table = await lake.createTable({ columns: [{ name: "id", type: "int", required: false }] });
  for (const id of [1, 2, 3]) table = await append(table, id);
  return { table, ids: table.metadata.snapshots.map((snapshot) => snapshot["snapshot-id"]) };
}

const ids = async (table: Table, at?: SnapshotChoice): Promise<number[]> =>
  (await lake.rows<{ id: number }>(table, at === undefined ? {} : { at }, "id")).map((row) => row.id);

describe("branches and tags", () => {
  test("name snapshots to read, are moved, and dropped", async () => {
    const made = await threeSnapshots();
    let table = await setTag(lake.env, made.table, "first", { snapshotId: made.ids[0]!, maxRefAgeMs: 86_400_000 });
    table = await setBranch(lake.env, table, "audit", { minSnapshotsToKeep: 2, maxSnapshotAgeMs: 1000 });
    expect(table.metadata.refs["audit"]).toEqual({
      type: "branch",
      "snapshot-id": made.ids[2],
      "min-snapshots-to-keep": 2,
      "max-snapshot-age-ms": 1000,
    });
    expect(table.metadata.refs["first"]).toEqual({
      type: "tag",
      "snapshot-id": made.ids[0],
      "max-ref-age-ms": 86_400_000,
    });
    expect(await ids(table, { ref: "first" })).toEqual([1]);
    expect(await ids(table, { ref: "audit" })).toEqual([1, 2, 3]);
    table = await setBranch(lake.env, table, "audit", { snapshotId: made.ids[1]!, replace: true });
    expect(await ids(table, { ref: "audit" })).toEqual([1, 2]);
    table = await dropReference(lake.env, table, "first");
    await expect(ids(table, { ref: "first" })).rejects.toThrow(/no branch or tag first/);
    expect(await ids(table)).toEqual([1, 2, 3]);
  });

  test("a tag is read with the schema of its snapshot, a branch with the table's", async () => {
    const { table } = await threeSnapshots();
    const named = await setBranch(lake.env, await setTag(lake.env, table, "old"), "work");
    const changed = await changeSchema(lake.env, named, [{ kind: "rename", column: "id", to: "number" }]);
    expect(await lake.rows(changed, { at: { ref: "old" } })).toContainEqual({ id: 1 });
    expect(await lake.rows(changed, { at: { ref: "work" } })).toContainEqual({ number: 1 });
  });

  test("are refused where they would lie", async () => {
    const { table, ids: snapshots } = await threeSnapshots();
    const tagged = await setTag(lake.env, table, "t");
    const { env } = lake;
    const refusals: [() => Promise<unknown>, string, RegExp][] = [
      [async () => setTag(env, tagged, "t"), "already_exists", /there is a tag t already/],
      [async () => setBranch(env, tagged, "t", { replace: true }), "invalid", /it is a tag/],
      [async () => setTag(env, tagged, "u", { snapshotId: 5n }), "not_found", /snapshot 5/],
      [async () => setTag(env, tagged, "u", { minSnapshotsToKeep: 1 }), "invalid", /a tag keeps one/],
      [async () => setBranch(env, tagged, "u", { maxRefAgeMs: 0 }), "invalid", /above zero/],
      [async () => setBranch(env, tagged, "main", { replace: true }), "invalid", /main is moved/],
      [async () => dropReference(env, tagged, "main"), "invalid", /main cannot be dropped/],
      [async () => dropReference(env, tagged, "nope"), "not_found", /no branch or tag nope/],
    ];
    for (const [call, kind, message] of refusals) {
      await expect(call()).rejects.toMatchObject({ kind, message: expect.stringMatching(message) as string });
    }
    expect(snapshots).toHaveLength(3);
  });
});

describe("going back", () => {
  test("to an ancestor leaves what came after in the table, and the log tells what was current when", async () => {
    const { table, ids: snapshots } = await threeSnapshots();
    const back = await rollbackTo(lake.env, table, snapshots[0]!);
    expect(await ids(back)).toEqual([1]);
    expect(back.metadata.snapshots).toHaveLength(3);
    expect(back.metadata["snapshot-log"].map((entry) => entry["snapshot-id"])).toEqual([...snapshots, snapshots[0]]);
    const third = back.metadata["snapshot-log"][2]!;
    expect(resolveSnapshot(back.metadata, { asOfMs: third["timestamp-ms"] })?.["snapshot-id"]).toBe(
      back.metadata["snapshot-log"][3]!["timestamp-ms"] > third["timestamp-ms"] ? snapshots[2] : snapshots[0],
    );
    const on = await append(back, 4);
    expect(await ids(on)).toEqual([1, 4]);
    await expect((async () => rollbackTo(lake.env, on, snapshots[1]!))()).rejects.toThrow(/not an ancestor/);
    expect(await ids(await setCurrentSnapshot(lake.env, on, snapshots[2]!))).toEqual([1, 2, 3]);
  });

  test("to a moment goes by the log", async () => {
    const { table, ids: snapshots } = await threeSnapshots();
    const log = table.metadata["snapshot-log"];
    const back = await rollbackToTime(lake.env, table, log[1]!["timestamp-ms"]);
    const newestThen = log.findLast((entry) => entry["timestamp-ms"] <= log[1]!["timestamp-ms"])!;
    expect(back.metadata["current-snapshot-id"]).toBe(newestThen["snapshot-id"]);
    await expect((async () => rollbackToTime(lake.env, table, log[0]!["timestamp-ms"] - 1))()).rejects.toThrow(
      /was current at/,
    );
    expect(snapshots).toHaveLength(3);
  });

  test("main follows a branch that stands on it, and none that does not", async () => {
    const { table, ids: snapshots } = await threeSnapshots();
    const branched = await setBranch(lake.env, await rollbackTo(lake.env, table, snapshots[1]!), "ahead", {
      snapshotId: snapshots[2]!,
    });
    expect(await ids(await fastForward(lake.env, branched, "ahead"))).toEqual([1, 2, 3]);
    const apart = await append(await rollbackTo(lake.env, branched, snapshots[1]!), 9);
    await expect((async () => fastForward(lake.env, apart, "ahead"))()).rejects.toThrow(
      /main has snapshots that the branch has not/,
    );
  });
});
