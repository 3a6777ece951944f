import type { LiveFile } from "../manifest/data-file.ts";
import { readManifest } from "../manifest/manifest-io.ts";
import { mayHaveLiveFiles, type ManifestFile } from "../manifest/manifest-file.ts";
import { EntryStatus } from "../manifest/manifest-entry.ts";
import { mayHoldLocation } from "../manifest/partition-filter.ts";
import type { Snapshot } from "../metadata/snapshot.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import { normaliseLocation } from "../store/location.ts";
import { boundSpec } from "../transform/bound-spec.ts";
import { manifestsOfSnapshot } from "./current-files.ts";
import type { LakeEnvironment } from "./environment.ts";

/** Locations that only expired snapshots lead to. */
export interface UnreachableFiles {
  readonly lists: readonly string[];
  readonly manifests: readonly string[];
  /** Data and delete files. */
  readonly dataFiles: readonly string[];
}

/**
 * What no retained snapshot leads to any more.
 *
 * In a straight line of snapshots a file is there from one snapshot to another without a gap, and so is a manifest:
 * what is in neither of the retained neighbours of a run of expired snapshots is nowhere. So the cost follows the
 * snapshots that expire, not the table. Where the line is not straight (a branch, a rollback) all retained snapshots
 * are looked at. The snapshots that references point at always are.
 *
 * @param before the metadata that still has the expired snapshots
 */
export async function findUnreachable(
  env: LakeEnvironment,
  before: TableMetadata,
  expired: ReadonlySet<bigint>,
): Promise<UnreachableFiles> {
  const gone = before.snapshots.filter((snapshot) => expired.has(snapshot["snapshot-id"]));
  const kept = await manifestsByPath(env, retainedToCompare(before, expired));
  const candidates = await manifestsByPath(env, gone);
  for (const path of kept.keys()) candidates.delete(path);

  const files = await liveFiles(env, before, [...candidates.values()]);
  const holders = [...kept.values()].filter((manifest) => mayHoldAny(before, manifest, files));
  for (const location of (await liveFiles(env, before, holders)).keys()) files.delete(location);
  return {
    lists: gone.flatMap((snapshot) => snapshot["manifest-list"] ?? []),
    manifests: [...candidates.values()].map((manifest) => manifest.manifestPath),
    dataFiles: [...files.values()].map((file) => file.filePath),
  };
}

function retainedToCompare(before: TableMetadata, expired: ReadonlySet<bigint>): Snapshot[] {
  const line = before.snapshots.toSorted((one, other) => one["sequence-number"] - other["sequence-number"]);
  const heads = new Set(Object.values(before.refs).map((ref) => ref["snapshot-id"]));
  const straight = isStraight(line);
  return line.filter((snapshot, n) => {
    const id = snapshot["snapshot-id"];
    if (expired.has(id)) return false;
    const neighbours = [line[n - 1], line[n + 1]];
    return !straight || heads.has(id) || neighbours.some((other) => other && expired.has(other["snapshot-id"]));
  });
}

/** Each snapshot's parent is the one before it, or is gone already. */
function isStraight(line: readonly Snapshot[]): boolean {
  const known = new Set(line.map((snapshot) => snapshot["snapshot-id"]));
  return line.every((snapshot, n) => {
    const parent = snapshot["parent-snapshot-id"];
    return parent === undefined ? n === 0 : !known.has(parent) || line[n - 1]?.["snapshot-id"] === parent;
  });
}

async function manifestsByPath(
  env: LakeEnvironment,
  snapshots: readonly Snapshot[],
): Promise<Map<string, ManifestFile>> {
  const byPath = new Map<string, ManifestFile>();
  for (const snapshot of snapshots) {
    for (const manifest of await manifestsOfSnapshot(env, snapshot)) {
      byPath.set(normaliseLocation(manifest.manifestPath), manifest);
    }
  }
  return byPath;
}

async function liveFiles(
  env: LakeEnvironment,
  metadata: TableMetadata,
  manifests: readonly ManifestFile[],
): Promise<Map<string, LiveFile>> {
  const files = new Map<string, LiveFile>();
  for (const manifest of manifests.filter(mayHaveLiveFiles)) {
    for (const { status, file } of await readManifest(env, metadata, manifest)) {
      if (status !== EntryStatus.deleted) files.set(normaliseLocation(file.filePath), file);
    }
  }
  return files;
}

function mayHoldAny(metadata: TableMetadata, manifest: ManifestFile, files: ReadonlyMap<string, LiveFile>): boolean {
  const spec = boundSpec(metadata, manifest.specId);
  for (const file of files.values()) if (mayHoldLocation(manifest, spec, file)) return true;
  return false;
}
