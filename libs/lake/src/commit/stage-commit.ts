import { LakeError } from "../lake-error.ts";
import { isDelete, type DataFile } from "../manifest/data-file.ts";
import { prepareManifestList, readManifestList } from "../manifest/manifest-io.ts";
import { ManifestContent, mayHaveLiveFiles, type ManifestFile } from "../manifest/manifest-file.ts";
import type { TableRequirement } from "../metadata/requirements.ts";
import { MAIN_BRANCH, type Snapshot } from "../metadata/snapshot.ts";
import { currentSnapshot, type TableMetadata } from "../metadata/table-metadata.ts";
import type { TableUpdate } from "../metadata/updates.ts";
import { normaliseLocation } from "../store/location.ts";
import { partitionKey } from "../transform/bound-spec.ts";
import type { LakeEnvironment } from "./environment.ts";
import { mergeManifests, planManifestMerge } from "./manifest-merge.ts";
import { removeFiles, type Removal } from "./manifest-removal.ts";
import type { SnapshotChange } from "./snapshot-change.ts";
import { snapshotSummary } from "./snapshot-summary.ts";
import type { StagedCommit } from "./staged-commit.ts";
import { checkWritable, Staging, type SnapshotIdentity } from "./staging.ts";
import type { Table } from "./table.ts";

export interface CommitPlan {
  /** The state that the changes were planned on. */
  readonly table: Table;
  /** One snapshot each, oldest first. None: the commit only changes properties. */
  readonly changes: readonly SnapshotChange[];
  readonly setProperties?: Readonly<Record<string, string>>;
  readonly removeProperties?: readonly string[];
}

/** New files of one spec go into manifests of at most so many entries. */
const MANIFEST_ENTRIES_MAX = 20_000;

/**
 * Decides a commit: chooses snapshot ids, writes manifests and manifest lists (docs/architecture.md, "Commits").
 * Nothing is visible until `postCommit`. The files of the changes must be durable in the store before. Fails as
 * `conflict` when a file to remove is not in the table any more.
 */
export async function stageCommit(env: LakeEnvironment, plan: CommitPlan): Promise<StagedCommit> {
  const { metadata, identifier } = plan.table;
  checkWritable(metadata);
  const base = currentSnapshot(metadata);
  const staging = new Staging(env, metadata);
  const snapshotIds = plan.changes.map(() => env.randomness.snapshotId());

  const snapshots: Snapshot[] = [];
  let manifests = await manifestsOf(env, base);
  for (const [n, change] of plan.changes.entries()) {
    const identity = { snapshotId: snapshotIds[n]!, sequenceNumber: metadata["last-sequence-number"] + 1 + n };
    const mergeFor = n === plan.changes.length - 1 ? new Set(snapshotIds) : undefined;
    const parent = snapshots.at(-1) ?? base;
    const staged = await stageSnapshot(env, staging, { identity, parent, manifests, change, mergeFor });
    snapshots.push(staged.snapshot);
    manifests = staged.manifests;
  }
  const locations = await staging.flush();
  return {
    identifier,
    tableUuid: metadata["table-uuid"],
    snapshotIds,
    ...(base === undefined ? {} : { parentSnapshotId: base["snapshot-id"] }),
    commit: { requirements: requirementsOf(metadata, base), updates: updatesOf(plan, snapshots) },
    locations,
  };
}

async function manifestsOf(env: LakeEnvironment, snapshot: Snapshot | undefined): Promise<readonly ManifestFile[]> {
  if (snapshot === undefined) return [];
  const location = snapshot["manifest-list"];
  if (location === undefined) throw new LakeError("unsupported", "the snapshot has no manifest list");
  return readManifestList(env, location);
}

function requirementsOf(metadata: TableMetadata, base: Snapshot | undefined): TableRequirement[] {
  return [
    { type: "assert-table-uuid", uuid: metadata["table-uuid"] },
    { type: "assert-ref-snapshot-id", ref: MAIN_BRANCH, "snapshot-id": base?.["snapshot-id"] ?? null },
  ];
}

function updatesOf(plan: CommitPlan, snapshots: readonly Snapshot[]): TableUpdate[] {
  const updates: TableUpdate[] = snapshots.map((snapshot) => ({ action: "add-snapshot", snapshot }));
  const last = snapshots.at(-1);
  if (last !== undefined) {
    // The reference keeps its own retention settings.
    const ref = plan.table.metadata.refs[MAIN_BRANCH];
    const id = last["snapshot-id"];
    updates.push({ action: "set-snapshot-ref", ...ref, "ref-name": MAIN_BRANCH, type: "branch", "snapshot-id": id });
  }
  const { setProperties = {}, removeProperties = [] } = plan;
  if (Object.keys(setProperties).length > 0) updates.push({ action: "set-properties", updates: setProperties });
  if (removeProperties.length > 0) updates.push({ action: "remove-properties", removals: removeProperties });
  return updates;
}

interface SnapshotPlan {
  readonly identity: SnapshotIdentity;
  readonly parent: Snapshot | undefined;
  readonly manifests: readonly ManifestFile[];
  readonly change: SnapshotChange;
  /** The snapshot ids of the commit when small manifests may be merged now. */
  readonly mergeFor: ReadonlySet<bigint> | undefined;
}

interface StagedSnapshot {
  readonly snapshot: Snapshot;
  readonly manifests: readonly ManifestFile[];
}

async function stageSnapshot(env: LakeEnvironment, staging: Staging, plan: SnapshotPlan): Promise<StagedSnapshot> {
  const { identity, change, parent } = plan;
  checkChange(change);
  const added = await addFiles(staging, identity, change);
  const removal = await removeAll(staging, plan);
  const kept = [...added, ...removal.manifests];
  const merges = plan.mergeFor === undefined ? [] : planManifestMerge(kept, plan.mergeFor);
  const groups = change.rewrittenManifests ?? merges;
  const merge = await mergeManifests(staging, identity, kept, groups);

  const created = merge.manifests.filter((manifest) => manifest.addedSnapshotId === identity.snapshotId).length;
  const summary = snapshotSummary(
    change,
    changedPartitions(staging, change),
    {
      created,
      kept: merge.manifests.length - created,
      replaced: removal.replaced.length + merge.replaced.length,
      entries: filesOf(change).length + removal.entriesWritten + merge.entriesWritten,
    },
    parent === undefined ? "none" : parent.summary,
  );
  const location = staging.listLocation(identity);
  const parentId = parent === undefined ? {} : { parentSnapshotId: parent["snapshot-id"] };
  staging.addList(await prepareManifestList(env, location, { ...identity, ...parentId }, merge.manifests));
  const snapshot: Snapshot = {
    "snapshot-id": identity.snapshotId,
    ...(parent === undefined ? {} : { "parent-snapshot-id": parent["snapshot-id"] }),
    "sequence-number": identity.sequenceNumber,
    "timestamp-ms": timestampAfter(parent, staging.metadata, env.clock.nowMs()),
    "manifest-list": location,
    summary,
    "schema-id": staging.metadata["current-schema-id"],
  };
  return { snapshot, manifests: merge.manifests };
}

/** Later than the parent, so that a moment names one snapshot, even when the clock stands or went back. */
function timestampAfter(parent: Snapshot | undefined, metadata: TableMetadata, nowMs: number): number {
  return Math.max(nowMs, metadata["last-updated-ms"], parent === undefined ? 0 : parent["timestamp-ms"] + 1);
}

function filesOf({ addedData = [], addedDeletes = [] }: SnapshotChange): DataFile[] {
  return [...addedData, ...addedDeletes];
}

/** Each manifest has files of one spec and content. */
async function addFiles(staging: Staging, identity: SnapshotIdentity, change: SnapshotChange): Promise<ManifestFile[]> {
  const manifests: ManifestFile[] = [];
  const contents = [
    [ManifestContent.data, change.addedData ?? []],
    [ManifestContent.deletes, change.addedDeletes ?? []],
  ] as const;
  for (const [content, files] of contents) {
    for (const [specId, some] of groupBySpec(files)) {
      for (let start = 0; start < some.length; start += MANIFEST_ENTRIES_MAX) {
        const added = some.slice(start, start + MANIFEST_ENTRIES_MAX);
        manifests.push(await staging.addManifest(identity, specId, content, { added }));
      }
    }
  }
  return manifests;
}

function groupBySpec(files: readonly DataFile[]): Map<number, DataFile[]> {
  const groups = new Map<number, DataFile[]>();
  for (const file of files) {
    const group = groups.get(file.specId);
    if (group === undefined) groups.set(file.specId, [file]);
    else group.push(file);
  }
  return groups;
}

/** The parent's manifests without the removed files. Manifests that the parent left without a live file go. */
async function removeAll(staging: Staging, plan: SnapshotPlan): Promise<Removal> {
  const { identity, change } = plan;
  const live = plan.manifests.filter(mayHaveLiveFiles);
  const data = await removeFiles(staging, identity, live, ManifestContent.data, change.removedData ?? []);
  const deletes = await removeFiles(
    staging,
    identity,
    data.manifests,
    ManifestContent.deletes,
    change.removedDeletes ?? [],
  );
  return {
    manifests: deletes.manifests,
    replaced: [...data.replaced, ...deletes.replaced],
    entriesWritten: data.entriesWritten + deletes.entriesWritten,
  };
}

function checkChange(change: SnapshotChange): void {
  const { addedData = [], addedDeletes = [], removedData = [], removedDeletes = [], operation } = change;
  const wrong =
    addedData.some(isDelete) || removedData.some(isDelete)
      ? "a delete file stands among the data files"
      : ![...addedDeletes, ...removedDeletes].every(isDelete)
        ? "a data file stands among the delete files"
        : operation === "append" && addedDeletes.length + removedData.length + removedDeletes.length > 0
          ? "an append only adds data files"
          : new Set(filesOf(change).map((file) => normaliseLocation(file.filePath))).size < filesOf(change).length
            ? "a file is added twice"
            : change.rewrittenManifests !== undefined && operation !== "replace"
              ? "only a replace rewrites manifests"
              : undefined;
  if (wrong !== undefined) throw new LakeError("invalid", `${operation} snapshot: ${wrong}`);
}

function changedPartitions(staging: Staging, change: SnapshotChange): number {
  const keys = new Set<string>();
  for (const file of [...filesOf(change), ...(change.removedData ?? []), ...(change.removedDeletes ?? [])]) {
    keys.add(partitionKey(staging.spec(file.specId), file.partition));
  }
  return keys.size;
}
