import { describe, expect, it } from "vitest";
import { dataFile, deleteFile, commitChanges, emptyTable, paths } from "../../test/table-fixture.ts";
import { readManifest, readManifestList } from "../manifest/manifest-io.ts";
import { ManifestContent } from "../manifest/manifest-file.ts";
import { currentSnapshot } from "../metadata/table-metadata.ts";
import { currentFiles } from "./current-files.ts";
import type { LakeEnvironment } from "./environment.ts";
import { planManifestRewrite } from "./manifest-rewrite.ts";
import type { Table } from "./table.ts";

const ENTRIES_MAX = 50_000;
const DAYS = 6;

/** Every commit touches every day, as late rows do. */
async function scatteredTable(commits: number): Promise<{ env: LakeEnvironment; table: Table }> {
  const { env, table: empty } = await emptyTable();
  let table = empty;
  for (let n = 0; n < commits; n++) {
    const addedData = Array.from({ length: DAYS }, (_, day) => dataFile(`c${n}-d${day}.parquet`, { day }));
    const addedDeletes = n % 3 === 0 ? [deleteFile(`c${n}-deletes.parquet`, { day: n % DAYS })] : [];
    table = await commitChanges(env, table, [
      { operation: addedDeletes.length > 0 ? "overwrite" : "append", addedData, addedDeletes },
    ]);
  }
  return { env, table };
}

const listOf = (env: LakeEnvironment, table: Table) =>
  readManifestList(env, currentSnapshot(table.metadata)!["manifest-list"]!);

describe("a rewrite of manifests", () => {
  it("keeps every file with its sequence number, in the order of partitions", async () => {
    const { env, table } = await scatteredTable(12);
    const before = await currentFiles(env, table);
    const groups = await planManifestRewrite(env, table, { entriesMax: ENTRIES_MAX });
    expect(groups.map((group) => group.manifests[0]!.content)).toContain(ManifestContent.data);
    const after = await commitChanges(env, table, [{ operation: "replace", rewrittenManifests: groups }]);

    const found = await currentFiles(env, after);
    const numbers = (files: typeof found.data) => files.map((file) => `${file.filePath} ${file.sequenceNumber}`).sort();
    expect(numbers(found.data)).toEqual(numbers(before.data));
    expect(numbers(found.deletes)).toEqual(numbers(before.deletes));
    const [manifest] = (await listOf(env, after)).filter(({ content }) => content === ManifestContent.data);
    const days = (await readManifest(env, after.metadata, manifest!)).map(({ file }) => file.partition["day"]);
    expect(days).toEqual([...days].sort());
    const { summary, ...snapshot } = currentSnapshot(after.metadata)!;
    expect(summary).toMatchObject({ operation: "replace", "manifests-created": String(groups.length) });
    expect(summary!["total-data-files"]).toBe(String(12 * DAYS));

    expect(await planManifestRewrite(env, after, { entriesMax: ENTRIES_MAX })).toEqual([]);
    const earlier = await currentFiles(env, after, snapshot["parent-snapshot-id"]);
    expect(paths(earlier.data)).toEqual(paths(before.data));
  });

  it("gives each manifest few partitions where there are many", async () => {
    const { env, table } = await scatteredTable(12);
    const bytesPerFile = (await listOf(env, table))[0]!.manifestLength / DAYS;
    const targeted = await commitChanges(env, table, [], {
      setProperties: { "commit.manifest.target-size-bytes": String(Math.floor(bytesPerFile * DAYS)) },
    });
    const groups = await planManifestRewrite(env, targeted, { entriesMax: ENTRIES_MAX });
    const data = groups.find((group) => group.manifests[0]!.content === ManifestContent.data)!;
    const after = await commitChanges(env, targeted, [{ operation: "replace", rewrittenManifests: [data] }]);
    const manifests = (await listOf(env, after)).filter(({ content }) => content === ManifestContent.data);
    expect(manifests.length).toBeGreaterThan(DAYS);
    for (const manifest of manifests) {
      const entries = await readManifest(env, after.metadata, manifest);
      expect(new Set(entries.map(({ file }) => file.partition["day"])).size).toBeLessThanOrEqual(2);
    }
    expect(await planManifestRewrite(env, after, { entriesMax: ENTRIES_MAX })).toEqual([]);
  });

  it("is not planned for few manifests, and takes no more entries than it may", async () => {
    const { env, table } = await scatteredTable(5);
    expect(await planManifestRewrite(env, table, { entriesMax: ENTRIES_MAX })).toEqual([]);
    const many = await scatteredTable(12);
    const [group] = await planManifestRewrite(many.env, many.table, { entriesMax: 9 * DAYS });
    expect(group!.manifests).toHaveLength(9);
    expect(await planManifestRewrite(many.env, many.table, { entriesMax: DAYS })).toEqual([]);
  });

  it("is refused beside changes of rows", async () => {
    const { env, table } = await scatteredTable(9);
    const rewrittenManifests = await planManifestRewrite(env, table, { entriesMax: ENTRIES_MAX });
    const change = { operation: "append", addedData: [dataFile("x.parquet")], rewrittenManifests } as const;
    await expect(commitChanges(env, table, [change])).rejects.toThrow("only a replace rewrites manifests");
  });
});
