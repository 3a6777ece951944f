import { describe, expect, it } from "vitest";
import { readManifest, readManifestList } from "../manifest/manifest-io.ts";
import { EntryStatus } from "../manifest/manifest-entry.ts";
import { currentSnapshot } from "../metadata/table-metadata.ts";
import { currentFiles } from "./current-files.ts";
import { commitChanges, dataFile, emptyTable, paths } from "../../test/table-fixture.ts";

describe("a commit", () => {
  it("appends files that readers then see", async () => {
    const { env, table } = await emptyTable();
    const after = await commitChanges(env, table, [
      {
        operation: "append",
        addedData: [dataFile("a", { day: 3, type: "steps" }), dataFile("b", { day: 4, type: null })],
      },
    ]);
    const files = await currentFiles(env, after);
    expect(paths(files.data)).toEqual(["a", "b"]);
    expect(files.data[0]).toMatchObject({
      partition: { day: 3, type: "steps" },
      sequenceNumber: 1,
      fileSequenceNumber: 1,
      snapshotId: after.metadata["current-snapshot-id"],
    });
  });

  it("writes null sequence numbers for added files and explicit ones for those that stay or go", async () => {
    const { env, table } = await emptyTable();
    const first = await commitChanges(env, table, [
      { operation: "append", addedData: [dataFile("a", { day: 3 }), dataFile("b", { day: 3 })] },
    ]);
    const second = await commitChanges(env, first, [
      { operation: "overwrite", addedData: [dataFile("c", { day: 3 })], removedData: [dataFile("a", { day: 3 })] },
    ]);
    const [added, rewritten] = await readManifestList(env, currentSnapshot(second.metadata)!["manifest-list"]!);
    expect(added).toMatchObject({
      addedFilesCount: 1,
      existingFilesCount: 0,
      deletedFilesCount: 0,
      minSequenceNumber: 2,
    });
    expect(rewritten).toMatchObject({
      addedFilesCount: 0,
      existingFilesCount: 1,
      deletedFilesCount: 1,
      sequenceNumber: 2,
      minSequenceNumber: 1,
    });
    const entries = await readManifest(env, second.metadata, rewritten!);
    expect(entries.map(({ status, file }) => [status, file.filePath.slice(-1), file.sequenceNumber])).toEqual([
      [EntryStatus.existing, "b", 1],
      [EntryStatus.deleted, "a", 1],
    ]);
    expect(paths((await currentFiles(env, second)).data)).toEqual(["b", "c"]);
  });
});
