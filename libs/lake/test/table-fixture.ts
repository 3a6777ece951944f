import { MemoryCatalog } from "../src/catalog/memory-catalog.ts";
import type { Catalog } from "../src/catalog/catalog.ts";
import { FileContent, type DataFile, type Partition } from "../src/manifest/data-file.ts";
import { lowerBoundOf, upperBoundOf } from "../src/manifest/single-value.ts";
import type { PrimitiveType } from "../src/metadata/schema.ts";
import type { ObjectStore } from "../src/store/object-store.ts";
import { memoryStore } from "../src/store/memory-store.ts";
import { lakeEnvironment, type LakeEnvironment } from "../src/commit/environment.ts";
import { postCommit } from "../src/commit/post-commit.ts";
import type { SnapshotChange } from "../src/commit/snapshot-change.ts";
import { stageCommit, type CommitPlan } from "../src/commit/stage-commit.ts";
import { loadTable, type Table } from "../src/commit/table.ts";

/** A small partitioned table and made-up files of it, for tests of commits. The files themselves do not exist. */
export const FIXTURE = { namespace: ["db"], name: "events" } as const;

export interface FixtureOptions {
  readonly catalog?: Catalog;
  readonly store?: ObjectStore;
  readonly nowMs?: () => number;
  readonly manifestCacheBytesMax?: number;
}

export async function emptyTable(options: FixtureOptions = {}): Promise<{ env: LakeEnvironment; table: Table }> {
  const { nowMs = Date.now, manifestCacheBytesMax } = options;
  const store = options.store ?? memoryStore();
  const catalog = options.catalog ?? new MemoryCatalog({ warehouse: store.root, nowMs });
  const env = lakeEnvironment({
    catalog,
    store,
    clock: { nowMs },
    ...(manifestCacheBytesMax === undefined ? {} : { manifestCacheBytesMax }),
  });
  await catalog.createNamespace(FIXTURE.namespace);
  await catalog.createTable(FIXTURE, {
    schema: {
      type: "struct",
      fields: [
        { id: 1, name: "id", required: true, type: "string" },
        { id: 2, name: "at", required: true, type: "timestamptz" },
        { id: 3, name: "type", required: false, type: "string" },
      ],
    },
    partitionSpec: {
      fields: [
        { "source-id": 2, name: "day", transform: "day" },
        { "source-id": 3, name: "type", transform: "identity" },
      ],
    },
  });
  return { env, table: await loadTable(env, FIXTURE) };
}

const bound = (make: typeof upperBoundOf, ...columns: [number, PrimitiveType, string | number][]) =>
  new Map(
    columns.flatMap(([id, type, value]) => {
      const bytes = make(type, value);
      return bytes === undefined ? [] : [[id, bytes] as const];
    }),
  );

export function dataFile(name: string, partition: Partition = { day: 0, type: null }, rows = 10): DataFile {
  const from = Number(partition["day"] ?? 0) * 86_400_000_000;
  return {
    content: FileContent.data,
    filePath: `memory://warehouse/db/events/data/${name}`,
    fileFormat: "PARQUET",
    specId: 0,
    partition: { type: null, ...partition },
    recordCount: rows,
    fileSizeBytes: rows * 100,
    columnSizes: new Map([
      [1, 40],
      [2, 50],
    ]),
    valueCounts: new Map([
      [1, rows],
      [2, rows],
      [3, rows],
    ]),
    nullValueCounts: new Map([
      [1, 0],
      [2, 0],
    ]),
    lowerBounds: bound(lowerBoundOf, [1, "string", `${name}-aaaaaaaaaaaaaaaaaaaaaa`], [2, "timestamptz", from]),
    upperBounds: bound(upperBoundOf, [1, "string", `${name}-zzzzzzzzzzzzzzzzzzzzzz`], [2, "timestamptz", from + 5]),
    splitOffsets: [4],
    sortOrderId: 0,
  };
}

export function deleteFile(name: string, partition: Partition = {}, rows = 1): DataFile {
  const { sortOrderId: _sorted, ...file } = dataFile(name, partition, rows);
  return { ...file, content: FileContent.positionDeletes };
}

/** Stages and posts; fails when the commit does not land. */
export async function commitChanges(
  env: LakeEnvironment,
  table: Table,
  changes: readonly SnapshotChange[],
  more: Partial<CommitPlan> = {},
): Promise<Table> {
  const posted = await postCommit(env, await stageCommit(env, { ...more, table, changes }));
  if (posted.kind === "committed") return posted.table;
  throw new Error("the commit met a conflict");
}

/** The last names of the files' locations, sorted. */
export function paths(files: readonly DataFile[]): string[] {
  return files.map((file) => file.filePath.slice(file.filePath.lastIndexOf("/") + 1)).sort();
}
