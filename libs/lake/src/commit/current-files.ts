import { LakeError } from "../lake-error.ts";
import type { LiveFile } from "../manifest/data-file.ts";
import { readManifest, readManifestList } from "../manifest/manifest-io.ts";
import { ManifestContent, mayHaveLiveFiles, type ManifestFile } from "../manifest/manifest-file.ts";
import { EntryStatus } from "../manifest/manifest-entry.ts";
import { partitionFilter, type PartitionFilter } from "../manifest/partition-filter.ts";
import type { Snapshot } from "../metadata/snapshot.ts";
import { currentSnapshot, snapshotById, type TableMetadata } from "../metadata/table-metadata.ts";
import type { Predicate } from "../scan/predicate.ts";
import { boundSpec, type BoundSpec } from "../transform/bound-spec.ts";
import type { LakeEnvironment } from "./environment.ts";
import type { Table } from "./table.ts";

export interface CurrentFiles {
  readonly data: readonly LiveFile[];
  /** Delete files of every kind. */
  readonly deletes: readonly LiveFile[];
  /** Manifests of the snapshot, and how many of them had to be looked into. */
  readonly manifestsSeen: number;
  readonly manifestsRead: number;
}

export interface FileSelection {
  /** Default: the current snapshot of main. */
  readonly snapshotId?: bigint | undefined;
  /** Leaves out manifests and files whose partitions cannot match. Columns by their current names. */
  readonly where?: Predicate | undefined;
  /** The same by filters of partitions, for each spec; undefined for one of which nothing is left out. */
  readonly partitions?: ((spec: BoundSpec) => PartitionFilter | undefined) | undefined;
}

/** Manifests that are fetched and decoded at the same time. */
const READ_CONCURRENCY = 16;

/** The files of a snapshot: of the current one, or of the given one. Empty for a table without snapshots. */
export function currentFiles(env: LakeEnvironment, table: Table, snapshotId?: bigint): Promise<CurrentFiles> {
  return selectFiles(env, table.metadata, { snapshotId });
}

/** The files of a snapshot whose partitions may hold matching rows. */
export async function selectFiles(
  env: LakeEnvironment,
  metadata: TableMetadata,
  selection: FileSelection,
): Promise<CurrentFiles> {
  const snapshot = snapshotOf(metadata, selection.snapshotId);
  const manifests = snapshot === undefined ? [] : await manifestsOfSnapshot(env, snapshot);
  const filterOf = filtersBySpec(metadata, selection);
  const needed = manifests.filter(
    (manifest) => mayHaveLiveFiles(manifest) && (filterOf(manifest)?.mayMatchManifest(manifest) ?? true),
  );
  const data: LiveFile[] = [];
  const deletes: LiveFile[] = [];
  for (let start = 0; start < needed.length; start += READ_CONCURRENCY) {
    const some = needed.slice(start, start + READ_CONCURRENCY);
    const read = await Promise.all(some.map((manifest) => readManifest(env, metadata, manifest)));
    for (const [n, manifest] of some.entries()) {
      const filter = filterOf(manifest);
      const into = manifest.content === ManifestContent.data ? data : deletes;
      for (const { status, file } of read[n]!) {
        if (status !== EntryStatus.deleted && (filter?.mayMatchPartition(file.partition) ?? true)) into.push(file);
      }
    }
  }
  return { data, deletes, manifestsSeen: manifests.length, manifestsRead: needed.length };
}

/** The manifests of a snapshot, from its list. */
export function manifestsOfSnapshot(env: LakeEnvironment, snapshot: Snapshot): Promise<readonly ManifestFile[]> {
  const location = snapshot["manifest-list"];
  if (location !== undefined) return readManifestList(env, location);
  throw new LakeError("unsupported", `snapshot ${snapshot["snapshot-id"]} has no manifest list`);
}

function snapshotOf(metadata: TableMetadata, snapshotId: bigint | undefined): Snapshot | undefined {
  if (snapshotId === undefined) return currentSnapshot(metadata);
  const snapshot = snapshotById(metadata, snapshotId);
  if (snapshot !== undefined) return snapshot;
  throw new LakeError("not_found", `snapshot ${snapshotId} is not in the table`, { context: { snapshotId } });
}

/** Filters for each spec, made when a manifest first needs it; undefined: nothing is left out. */
function filtersBySpec(
  metadata: TableMetadata,
  { where, partitions = where && ((spec) => partitionFilter(where, spec)) }: FileSelection,
): (manifest: ManifestFile) => PartitionFilter | undefined {
  if (partitions === undefined) return () => undefined;
  const filters = new Map<number, PartitionFilter | undefined>();
  return ({ specId }) => {
    if (!filters.has(specId)) filters.set(specId, partitions(boundSpec(metadata, specId)));
    return filters.get(specId);
  };
}
