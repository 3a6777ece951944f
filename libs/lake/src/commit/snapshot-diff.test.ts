import { expect, it } from "vitest";
import { commitChanges, dataFile, deleteFile, emptyTable, paths } from "../../test/table-fixture.ts";
import { snapshotDiff } from "./snapshot-diff.ts";

async function lake() {
  const { env, table } = await emptyTable();
  const [a, b, c, d] = [dataFile("a"), dataFile("b"), dataFile("c"), dataFile("d")];
  let now = await commitChanges(env, table, [{ operation: "append", addedData: [a] }]);
  now = await commitChanges(env, now, [
    { operation: "append", addedData: [b] },
    { operation: "replace", addedData: [c], removedData: [a, b] },
  ]);
  now = await commitChanges(env, now, [
    { operation: "overwrite", addedData: [d], addedDeletes: [deleteFile("x")], removedData: [c] },
  ]);
  return { env, table: now, ids: now.metadata.snapshots.map((snapshot) => snapshot["snapshot-id"]) };
}

it("tells rows that changed from files that were merged", async () => {
  const { env, table, ids } = await lake();
  const diff = await snapshotDiff(env, table, ids[0], ids[3]!);
  expect(diff?.operations).toEqual(["append", "replace", "overwrite"]);
  expect(paths(diff!.addedData)).toEqual(["b", "d"]);
  expect(paths(diff!.removedData)).toEqual(["c"]);
  expect(paths(diff!.addedDeletes)).toEqual(["x"]);
  expect(paths(diff!.rewrittenData)).toEqual(["c"]);
  expect(diff?.steps.map((step) => [paths(step.addedData), paths(step.removedData)])).toEqual([
    [["b"], []],
    [["c"], ["a", "b"]],
    [["d"], ["c"]],
  ]);
  expect(diff?.addedData[0]).toMatchObject({ sequenceNumber: 2, snapshotId: ids[1] });
});

it("goes from the empty table, and from a snapshot to itself", async () => {
  const { env, table, ids } = await lake();
  expect(paths((await snapshotDiff(env, table, undefined, ids[0]!))!.addedData)).toEqual(["a"]);
  expect(await snapshotDiff(env, table, ids[1], ids[1]!)).toMatchObject({ operations: [], addedData: [] });
});

it("is undefined where the line is cut", async () => {
  const { env, table, ids } = await lake();
  expect(await snapshotDiff(env, table, ids[3], ids[0]!)).toBeUndefined();
  expect(await snapshotDiff(env, table, 1n, ids[3]!)).toBeUndefined();
  const snapshots = table.metadata.snapshots.filter((snapshot) => snapshot["snapshot-id"] !== ids[1]);
  const thinned = { ...table, metadata: { ...table.metadata, snapshots } };
  expect(await snapshotDiff(env, thinned, ids[0], ids[3]!)).toBeUndefined();
});
