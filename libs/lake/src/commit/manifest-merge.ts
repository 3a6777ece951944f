import { compareLiterals } from "../manifest/compare-literals.ts";
import type { LiveFile } from "../manifest/data-file.ts";
import type { ManifestFile } from "../manifest/manifest-file.ts";
import { EntryStatus } from "../manifest/manifest-entry.ts";
import type { BoundSpec } from "../transform/bound-spec.ts";
import type { SnapshotIdentity, Staging } from "./staging.ts";

/** Manifests of this size and above are left alone. Below, each level is eight times the one before. */
const LEVEL_BYTES_MAX = [32 * 1024, 256 * 1024, 2 * 1024 * 1024] as const;
/** So many manifests of one level, spec and content are merged into one. */
const MERGE_COUNT = 16;

/** Manifests of one spec and content that are written anew, together. */
export interface ManifestGroup {
  readonly manifests: readonly ManifestFile[];
  /** Files of one new manifest. Absent: all of them. */
  readonly filesPerManifest?: number;
}

/**
 * The groups of manifests to merge, so that a table keeps less than three times sixteen small ones for each spec and
 * content, and an entry is written again only a few times on its way up the levels. Manifests of the commit itself
 * are left out: their entries tell what the commit added and deleted.
 */
export function planManifestMerge(
  manifests: readonly ManifestFile[],
  ofThisCommit: ReadonlySet<bigint>,
): ManifestGroup[] {
  const groups = new Map<string, ManifestFile[]>();
  for (const manifest of manifests) {
    const level = LEVEL_BYTES_MAX.findIndex((bytesMax) => manifest.manifestLength < bytesMax);
    if (level === -1 || ofThisCommit.has(manifest.addedSnapshotId)) continue;
    const key = `${manifest.content}/${manifest.specId}/${level}`;
    const group = groups.get(key) ?? [];
    group.push(manifest);
    groups.set(key, group);
  }
  return [...groups.values()].filter(({ length }) => length >= MERGE_COUNT).map((group) => ({ manifests: group }));
}

export interface MergedManifests {
  readonly manifests: readonly ManifestFile[];
  readonly replaced: readonly ManifestFile[];
  readonly entriesWritten: number;
}

/** Writes the live files of each group as existing ones, in the order of their partitions. */
export async function mergeManifests(
  staging: Staging,
  snapshot: SnapshotIdentity,
  manifests: readonly ManifestFile[],
  groups: readonly ManifestGroup[],
): Promise<MergedManifests> {
  const replaced = new Set(groups.flatMap((group) => group.manifests));
  let entriesWritten = 0;
  const merged: ManifestFile[] = [];
  for (const { manifests: group, filesPerManifest = Number.POSITIVE_INFINITY } of groups) {
    const { specId, content } = group[0]!;
    const live = byPartition(await liveFilesOf(staging, group), staging.spec(specId));
    entriesWritten += live.length;
    for (let from = 0; from < live.length; from += filesPerManifest) {
      const existing = live.slice(from, from + filesPerManifest);
      merged.push(await staging.addManifest(snapshot, specId, content, { existing }));
    }
  }
  const kept = manifests.filter((manifest) => !replaced.has(manifest));
  return { manifests: [...kept, ...merged], replaced: [...replaced], entriesWritten };
}

/** Nulls first; files of one partition stay in their order. */
function byPartition(files: readonly LiveFile[], { fields }: BoundSpec): LiveFile[] {
  return files.toSorted((one, other) => {
    for (const { name } of fields) {
      const [a, b] = [one.partition[name] ?? null, other.partition[name] ?? null];
      const order = a === null || b === null ? Number(b === null) - Number(a === null) : compareLiterals(a, b);
      if (order !== 0) return order;
    }
    return 0;
  });
}

async function liveFilesOf(staging: Staging, group: readonly ManifestFile[]): Promise<LiveFile[]> {
  const entries = await Promise.all(group.map((manifest) => staging.entries(manifest)));
  return entries.flatMap((some) =>
    some.filter((entry) => entry.status !== EntryStatus.deleted).map((entry) => entry.file),
  );
}
