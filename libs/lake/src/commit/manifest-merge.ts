import type { LiveFile } from "../manifest/data-file.ts";
import type { ManifestFile } from "../manifest/manifest-file.ts";
import { EntryStatus } from "../manifest/manifest-entry.ts";
import type { SnapshotIdentity, Staging } from "./staging.ts";

/** Manifests of this size and above are left alone. Below, each level is eight times the one before. */
const LEVEL_BYTES_MAX = [32 * 1024, 256 * 1024, 2 * 1024 * 1024] as const;
/** So many manifests of one level, spec and content are merged into one. */
const MERGE_COUNT = 16;

/**
 * The groups of manifests to merge, so that a table keeps less than three times sixteen small ones for each spec and
 * content, and an entry is written again only a few times on its way up the levels. Manifests of the commit itself
 * are left out: their entries tell what the commit added and deleted.
 */
export function planManifestMerge(
  manifests: readonly ManifestFile[],
  ofThisCommit: ReadonlySet<bigint>,
): (readonly ManifestFile[])[] {
  const groups = new Map<string, ManifestFile[]>();
  for (const manifest of manifests) {
    const level = LEVEL_BYTES_MAX.findIndex((bytesMax) => manifest.manifestLength < bytesMax);
    if (level === -1 || ofThisCommit.has(manifest.addedSnapshotId)) continue;
    const key = `${manifest.content}/${manifest.specId}/${level}`;
    const group = groups.get(key) ?? [];
    group.push(manifest);
    groups.set(key, group);
  }
  return [...groups.values()].filter((group) => group.length >= MERGE_COUNT);
}

export interface MergedManifests {
  readonly manifests: readonly ManifestFile[];
  readonly replaced: readonly ManifestFile[];
  readonly entriesWritten: number;
}

/** Writes each group as one manifest, its live files as existing ones. */
export async function mergeManifests(
  staging: Staging,
  snapshot: SnapshotIdentity,
  manifests: readonly ManifestFile[],
  groups: readonly (readonly ManifestFile[])[],
): Promise<MergedManifests> {
  const replaced = new Set(groups.flat());
  let entriesWritten = 0;
  const merged: ManifestFile[] = [];
  for (const group of groups) {
    const existing = await liveFilesOf(staging, group);
    entriesWritten += existing.length;
    if (existing.length === 0) continue;
    merged.push(await staging.addManifest(snapshot, group[0]!.specId, group[0]!.content, { existing }));
  }
  const kept = manifests.filter((manifest) => !replaced.has(manifest));
  return { manifests: [...kept, ...merged], replaced: [...replaced], entriesWritten };
}

async function liveFilesOf(staging: Staging, group: readonly ManifestFile[]): Promise<LiveFile[]> {
  const entries = await Promise.all(group.map((manifest) => staging.entries(manifest)));
  return entries.flatMap((some) =>
    some.filter((entry) => entry.status !== EntryStatus.deleted).map((entry) => entry.file),
  );
}
