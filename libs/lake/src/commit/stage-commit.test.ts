import { describe, expect, it } from "vitest";
import { countingStore } from "../../test/counting-store.ts";
import { commitChanges, dataFile, deleteFile, emptyTable, FIXTURE, paths } from "../../test/table-fixture.ts";
import { readManifest, readManifestList } from "../manifest/manifest-io.ts";
import { EntryStatus } from "../manifest/manifest-entry.ts";
import { mayHaveLiveFiles } from "../manifest/manifest-file.ts";
import { currentSnapshot } from "../metadata/table-metadata.ts";
import { memoryStore } from "../store/memory-store.ts";
import { and, eq, isNull, lt } from "../scan/predicate.ts";
import { currentFiles, selectFiles } from "./current-files.ts";
import { lakeEnvironment, type LakeEnvironment } from "./environment.ts";
import { stageCommit } from "./stage-commit.ts";
import { loadTable, type Table } from "./table.ts";

const manifestsOf = (env: LakeEnvironment, table: Table) =>
  readManifestList(env, currentSnapshot(table.metadata)!["manifest-list"]!);

describe("a commit", () => {
  it("appends files that readers then see", async () => {
    const { env, table } = await emptyTable();
    const files = [dataFile("a", { day: 3, type: "steps" }), dataFile("b", { day: 4, type: null })];
    const after = await commitChanges(env, table, [{ operation: "append", addedData: files }]);
    const found = await currentFiles(env, after);
    expect(paths(found.data)).toEqual(["a", "b"]);
    expect(found.data[0]).toMatchObject({
      partition: { day: 3, type: "steps" },
      sequenceNumber: 1,
      fileSequenceNumber: 1,
      snapshotId: after.metadata["current-snapshot-id"],
    });
    expect(table.metadata["current-snapshot-id"]).toBeUndefined();
    expect((await currentFiles(env, table)).data).toEqual([]);
  });

  it("writes null sequence numbers for added files and explicit ones for those that stay or go", async () => {
    const { env, table } = await emptyTable();
    const [a, b, c] = [dataFile("a"), dataFile("b"), dataFile("c")];
    const first = await commitChanges(env, table, [{ operation: "append", addedData: [a, b] }]);
    const second = await commitChanges(env, first, [{ operation: "overwrite", addedData: [c], removedData: [a] }]);
    const [added, rewritten] = await manifestsOf(env, second);
    expect(added).toMatchObject({ addedFilesCount: 1, existingFilesCount: 0, minSequenceNumber: 2 });
    expect(rewritten).toMatchObject({
      addedFilesCount: 0,
      existingFilesCount: 1,
      deletedFilesCount: 1,
      sequenceNumber: 2,
      minSequenceNumber: 1,
    });
    const entries = await readManifest(env, second.metadata, rewritten!);
    expect(entries.map(({ status, file }) => [status, paths([file])[0], file.sequenceNumber])).toEqual([
      [EntryStatus.existing, "b", 1],
      [EntryStatus.deleted, "a", 1],
    ]);
    const third = await commitChanges(env, second, [{ operation: "delete", removedData: [b, c] }]);
    expect((await manifestsOf(env, third)).every((manifest) => !mayHaveLiveFiles(manifest))).toBe(true);
    const fourth = await commitChanges(env, third, [{ operation: "append", addedData: [dataFile("d")] }]);
    expect(await manifestsOf(env, fourth)).toHaveLength(1);
  });

  it("puts several snapshots into one post, each with one meaning", async () => {
    const { env, table } = await emptyTable({ nowMs: () => 5_000_000_000_000 });
    const first = await commitChanges(env, table, [{ operation: "append", addedData: [dataFile("old")] }]);
    const staged = await stageCommit(env, {
      table: first,
      changes: [
        { operation: "append", addedData: [dataFile("new")] },
        { operation: "overwrite", addedDeletes: [deleteFile("del")], removedData: [dataFile("new")] },
        { operation: "replace", addedData: [dataFile("merged")], removedData: [dataFile("old")] },
      ],
      setProperties: { p: "1" },
      removeProperties: ["q"],
    });
    expect(staged.commit.requirements).toEqual([
      { type: "assert-table-uuid", uuid: table.metadata["table-uuid"] },
      { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": first.metadata["current-snapshot-id"] },
    ]);
    expect(staged.commit.updates.map((update) => update.action)).toEqual([
      "add-snapshot",
      "add-snapshot",
      "add-snapshot",
      "set-snapshot-ref",
      "set-properties",
      "remove-properties",
    ]);
    const { metadata } = await env.catalog.commitTable(FIXTURE, staged.commit);
    const chain = metadata.snapshots.slice(-3);
    expect(chain.map((snapshot) => snapshot["snapshot-id"])).toEqual(staged.snapshotIds);
    expect(chain.map((snapshot) => snapshot["parent-snapshot-id"])).toEqual([
      first.metadata["current-snapshot-id"],
      ...staged.snapshotIds.slice(0, 2),
    ]);
    expect(chain.map((snapshot) => snapshot["sequence-number"])).toEqual([2, 3, 4]);
    const times = metadata.snapshots.map((snapshot) => snapshot["timestamp-ms"]);
    expect(new Set(times).size).toBe(4);
    expect(times).toEqual(times.toSorted());
    const files = await currentFiles(env, await loadTable(env, FIXTURE));
    expect([paths(files.data), paths(files.deletes)]).toEqual([["merged"], ["del"]]);
  });

  it("writes the summary as Java does", async () => {
    const { env, table } = await emptyTable();
    const day = (name: string, rows: number) => dataFile(name, { day: rows }, rows);
    const first = await commitChanges(env, table, [
      { operation: "append", addedData: [day("a", 5), day("b", 7)], summary: { "firn.batch": "x" } },
    ]);
    expect(currentSnapshot(first.metadata)?.summary).toEqual({
      operation: "append",
      "firn.batch": "x",
      "added-data-files": "2",
      "added-records": "12",
      "added-files-size": "1200",
      "changed-partition-count": "2",
      "manifests-created": "1",
      "manifests-kept": "0",
      "manifests-replaced": "0",
      "entries-processed": "2",
      "total-records": "12",
      "total-files-size": "1200",
      "total-data-files": "2",
      "total-delete-files": "0",
      "total-position-deletes": "0",
      "total-equality-deletes": "0",
    });
    const second = await commitChanges(env, first, [
      {
        operation: "overwrite",
        addedData: [day("c", 1)],
        addedDeletes: [deleteFile("d", { day: 7 }, 3)],
        removedData: [day("a", 5)],
      },
    ]);
    expect(currentSnapshot(second.metadata)?.summary).toEqual({
      operation: "overwrite",
      "added-data-files": "1",
      "added-records": "1",
      "added-delete-files": "1",
      "added-position-delete-files": "1",
      "added-position-deletes": "3",
      "added-files-size": "400",
      "deleted-data-files": "1",
      "deleted-records": "5",
      "removed-files-size": "500",
      "changed-partition-count": "3",
      "manifests-created": "3",
      "manifests-kept": "0",
      "manifests-replaced": "1",
      "entries-processed": "4",
      "total-records": "8",
      "total-files-size": "1100",
      "total-data-files": "2",
      "total-delete-files": "1",
      "total-position-deletes": "3",
      "total-equality-deletes": "0",
    });
  });

  it("may add a snapshot without a file, or none at all", async () => {
    const { env, table } = await emptyTable();
    const first = await commitChanges(env, table, [{ operation: "append" }], { setProperties: { p: "1" } });
    expect(first.metadata.snapshots).toHaveLength(1);
    expect(await manifestsOf(env, first)).toEqual([]);
    const second = await commitChanges(env, first, [], { setProperties: { p: "2" } });
    expect(second.metadata.snapshots).toHaveLength(1);
    expect(second.metadata.properties["p"]).toBe("2");
  });

  it("is a conflict when a file to remove is not there any more", async () => {
    const { env, table } = await emptyTable();
    const first = await commitChanges(env, table, [{ operation: "append", addedData: [dataFile("a")] }]);
    const second = await commitChanges(env, first, [{ operation: "delete", removedData: [dataFile("a")] }]);
    const again = stageCommit(env, { table: second, changes: [{ operation: "delete", removedData: [dataFile("a")] }] });
    await expect(again).rejects.toMatchObject({ kind: "conflict", context: { files: 1 } });
  });

  it("finds files to remove under another spelling of their location", async () => {
    const { env, table } = await emptyTable({ store: memoryStore({ root: "s3://w" }) });
    const at = (scheme: string) => ({ ...dataFile("a"), filePath: `${scheme}://w/db/a` });
    const first = await commitChanges(env, table, [{ operation: "append", addedData: [at("s3a")] }]);
    const second = await commitChanges(env, first, [{ operation: "delete", removedData: [at("s3")] }]);
    expect((await currentFiles(env, second)).data).toEqual([]);
  });

  it("refuses changes that contradict themselves", async () => {
    const { env, table } = await emptyTable();
    const wrong = [
      { operation: "append", addedData: [deleteFile("d")] },
      { operation: "append", addedDeletes: [deleteFile("d")] },
      { operation: "append", removedData: [dataFile("a")] },
      { operation: "overwrite", addedDeletes: [dataFile("a")] },
      { operation: "append", addedData: [dataFile("a"), dataFile("a")] },
    ] as const;
    for (const change of wrong) {
      await expect(stageCommit(env, { table, changes: [change] })).rejects.toMatchObject({ kind: "invalid" });
    }
  });

  it("writes no table of another format version", async () => {
    const { env, table } = await emptyTable();
    const v3 = { ...table, metadata: { ...table.metadata, "format-version": 3 } };
    await expect(stageCommit(env, { table: v3, changes: [] })).rejects.toMatchObject({ kind: "unsupported" });
  });
});

describe("manifests of a long-lived table", () => {
  it("stay few, and hold every file with its own sequence number", async () => {
    const { env, table: empty } = await emptyTable();
    let table = empty;
    let most = 0;
    for (let n = 0; n < 120; n++) {
      const file = dataFile(`f${n}`, { day: n % 7, type: "hr" });
      const changes = n % 5 === 4 ? [{ operation: "overwrite", addedDeletes: [deleteFile(`d${n}`)] } as const] : [];
      table = await commitChanges(env, table, [{ operation: "append", addedData: [file] }, ...changes]);
      most = Math.max(most, (await manifestsOf(env, table)).length);
    }
    expect(most).toBeLessThanOrEqual(2 * 17);
    const { data, deletes } = await currentFiles(env, table);
    expect([data.length, deletes.length]).toEqual([120, 24]);
    const bySequence = data.toSorted((one, other) => one.sequenceNumber - other.sequenceNumber);
    expect(bySequence.map((file) => paths([file])[0])).toEqual(Array.from({ length: 120 }, (_, n) => `f${n}`));
    const total = currentSnapshot(table.metadata)?.summary;
    expect(total).toMatchObject({ "total-data-files": "120", "total-delete-files": "24", "total-records": "1200" });
  });
});

describe("the cost of a commit", () => {
  /** A table whose manifests are of one day each. */
  async function tableOfDays() {
    const counted = countingStore(memoryStore());
    const { env, table: empty } = await emptyTable({ store: counted.store });
    let table = empty;
    for (let day = 0; day < 10; day++) {
      const files = [dataFile(`a${day}`, { day, type: "hr" }), dataFile(`b${day}`, { day, type: null })];
      table = await commitChanges(env, table, [{ operation: "append", addedData: files }]);
    }
    // Another process: nothing is cached.
    const cold = lakeEnvironment({ catalog: env.catalog, store: counted.store });
    counted.reset();
    return { cold, table, counted };
  }

  it("of an append is one read, of the manifest list, and two writes", async () => {
    const { cold, table, counted } = await tableOfDays();
    await commitChanges(cold, table, [{ operation: "append", addedData: [dataFile("new")] }]);
    expect(counted.calls).toEqual({ get: 1, put: 2 });
  });

  it("of a removal is one more read for each manifest that may hold the file", async () => {
    const { cold, table, counted } = await tableOfDays();
    const removedData = [dataFile("a3", { day: 3, type: "hr" })];
    const after = await commitChanges(cold, table, [{ operation: "delete", removedData }]);
    expect(counted.calls).toEqual({ get: 2, put: 2 });
    await commitChanges(cold, after, [{ operation: "append", addedData: [dataFile("new")] }]);
    expect(counted.calls).toEqual({ get: 2, put: 4 });
  });

  it("of reading some days is their manifests", async () => {
    const { cold, table, counted } = await tableOfDays();
    const where = and(lt("at", 2 * 86_400_000_000), isNull("type"));
    const files = await selectFiles(cold, table.metadata, { where });
    expect(paths(files.data)).toEqual(["b0", "b1"]);
    expect(files).toMatchObject({ manifestsSeen: 10, manifestsRead: 2 });
    expect(counted.calls).toEqual({ get: 3 });
    expect((await selectFiles(cold, table.metadata, { where: eq("type", "none") })).manifestsRead).toBe(0);
  });

  it("needs no cache to be right", async () => {
    const { env, table } = await emptyTable({ manifestCacheBytesMax: 0 });
    const after = await commitChanges(env, table, [
      { operation: "append", addedData: [dataFile("a"), dataFile("b")] },
      { operation: "delete", removedData: [dataFile("a")] },
    ]);
    expect(paths((await currentFiles(env, after)).data)).toEqual(["b"]);
    expect(env.manifests.bytes).toBe(0);
  });

  it("reckons what is kept by what its columns' metrics take", async () => {
    const keptOf = async (columns: number) => {
      const { env, table } = await emptyTable();
      const lowerBounds = new Map(Array.from({ length: columns }, (_, id) => [id + 1, Buffer.alloc(16)]));
      const after = await commitChanges(env, table, [
        { operation: "append", addedData: [{ ...dataFile("a"), lowerBounds }] },
      ]);
      const cold = lakeEnvironment({ catalog: env.catalog, store: env.store });
      await currentFiles(cold, after);
      return [env.manifests.bytes, cold.manifests.bytes] as const;
    };
    const [few, many] = [await keptOf(1), await keptOf(1_001)];
    // Small blocks share memory of this size.
    const pool = 8_192;
    expect(many[0] - few[0]).toBeGreaterThan(16_000 - pool);
    expect(many[1] - few[1]).toBeGreaterThan(16_000 - pool);
  });
});
