import type { LiveFile } from "../manifest/data-file.ts";
import { readManifest } from "../manifest/manifest-io.ts";
import { ManifestContent } from "../manifest/manifest-file.ts";
import { EntryStatus } from "../manifest/manifest-entry.ts";
import type { Snapshot, SnapshotOperation } from "../metadata/snapshot.ts";
import { snapshotById, type TableMetadata } from "../metadata/table-metadata.ts";
import { manifestsOfSnapshot } from "./current-files.ts";
import type { LakeEnvironment } from "./environment.ts";
import type { Table } from "./table.ts";

/** What one snapshot did to the files of its parent. */
export interface SnapshotStep {
  readonly snapshot: Snapshot;
  readonly operation: SnapshotOperation;
  readonly addedData: readonly LiveFile[];
  readonly removedData: readonly LiveFile[];
  readonly addedDeletes: readonly LiveFile[];
  readonly removedDeletes: readonly LiveFile[];
}

/**
 * The files that came and went between two snapshots by operations that change rows. Merging and compaction
 * (`replace`) do not count, so a file of `addedData` need not be in the later snapshot any more; what they wrote is in
 * `rewrittenData`. A file that came and went again in between is in neither list.
 */
export interface SnapshotDiff {
  readonly addedData: LiveFile[];
  readonly removedData: LiveFile[];
  readonly addedDeletes: LiveFile[];
  readonly removedDeletes: LiveFile[];
  readonly rewrittenData: LiveFile[];
  /** Of the snapshots after `from` up to `to`, oldest first. */
  readonly operations: SnapshotOperation[];
  readonly steps: readonly SnapshotStep[];
}

/** Snapshots whose manifests are read at the same time. */
const READ_CONCURRENCY = 16;

/**
 * What changed after `from` (undefined: from the empty table) up to `to`. undefined where `from` is no ancestor of `to`
 * or a snapshot between them has expired, so that nobody can tell.
 */
export async function snapshotDiff(
  env: LakeEnvironment,
  table: Table,
  from: bigint | undefined,
  to: bigint,
): Promise<SnapshotDiff | undefined> {
  const lineage = lineageBetween(table.metadata, from, to);
  if (lineage === undefined) return undefined;
  const steps: SnapshotStep[] = [];
  for (let start = 0; start < lineage.length; start += READ_CONCURRENCY) {
    const some = lineage.slice(start, start + READ_CONCURRENCY);
    steps.push(...(await Promise.all(some.map((snapshot) => snapshotStep(env, table.metadata, snapshot)))));
  }
  const changing = steps.filter((step) => step.operation !== "replace");
  const [addedData, removedData] = netFiles(changing, (step) => [step.addedData, step.removedData]);
  const [addedDeletes, removedDeletes] = netFiles(changing, (step) => [step.addedDeletes, step.removedDeletes]);
  const replacing = steps.filter((step) => step.operation === "replace");
  return {
    addedData,
    removedData,
    addedDeletes,
    removedDeletes,
    rewrittenData: replacing.flatMap((step) => step.addedData),
    operations: steps.map((step) => step.operation),
    steps,
  };
}

/** The snapshots after `from` up to `to`, oldest first; undefined when the chain of parents does not lead there. */
export function lineageBetween(metadata: TableMetadata, from: bigint | undefined, to: bigint): Snapshot[] | undefined {
  const lineage: Snapshot[] = [];
  for (let id: bigint | undefined = to; id !== from;) {
    const snapshot: Snapshot | undefined = id === undefined ? undefined : snapshotById(metadata, id);
    if (snapshot === undefined) return undefined;
    lineage.push(snapshot);
    id = snapshot["parent-snapshot-id"];
  }
  return lineage.reverse();
}

/** Reads only the manifests that the snapshot itself added: they name everything that it added and deleted. */
async function snapshotStep(env: LakeEnvironment, metadata: TableMetadata, snapshot: Snapshot): Promise<SnapshotStep> {
  const id = snapshot["snapshot-id"];
  const manifests = (await manifestsOfSnapshot(env, snapshot)).filter((manifest) => manifest.addedSnapshotId === id);
  const step = {
    snapshot,
    operation: snapshot.summary?.operation ?? "overwrite",
    addedData: [] as LiveFile[],
    removedData: [] as LiveFile[],
    addedDeletes: [] as LiveFile[],
    removedDeletes: [] as LiveFile[],
  };
  for (const manifest of manifests) {
    const ofData = manifest.content === ManifestContent.data;
    for (const { status, file } of await readManifest(env, metadata, manifest)) {
      if (status === EntryStatus.existing || file.snapshotId !== id) continue;
      if (status === EntryStatus.added) (ofData ? step.addedData : step.addedDeletes).push(file);
      else (ofData ? step.removedData : step.removedDeletes).push(file);
    }
  }
  return step;
}

function netFiles(
  steps: readonly SnapshotStep[],
  filesOf: (step: SnapshotStep) => [readonly LiveFile[], readonly LiveFile[]],
): [added: LiveFile[], removed: LiveFile[]] {
  const added = new Map<string, LiveFile>();
  const removed = new Map<string, LiveFile>();
  for (const step of steps) {
    const [came, went] = filesOf(step);
    for (const file of came) added.set(file.filePath, file);
    for (const file of went) if (!added.delete(file.filePath)) removed.set(file.filePath, file);
  }
  return [[...added.values()], [...removed.values()]];
}
