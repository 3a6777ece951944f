import { LakeError } from "../lake-error.ts";
import type { DataFile, LiveFile } from "../manifest/data-file.ts";
import type { ManifestContent, ManifestFile } from "../manifest/manifest-file.ts";
import { EntryStatus } from "../manifest/manifest-entry.ts";
import { mayHoldFile } from "../manifest/partition-filter.ts";
import { normaliseLocation } from "../store/location.ts";
import type { SnapshotIdentity, Staging } from "./staging.ts";

export interface Removal {
  /** The manifests of the new snapshot, rewritten ones in the place of the old. */
  readonly manifests: readonly ManifestFile[];
  /** The manifests that were rewritten, as they were. */
  readonly replaced: readonly ManifestFile[];
  readonly entriesWritten: number;
}

/**
 * Takes files out of manifests. Only manifests whose summary and sequence numbers allow for one of the files are read,
 * and only those that hold one are written again. Fails as `conflict` when a file is in none.
 */
export async function removeFiles(
  staging: Staging,
  snapshot: SnapshotIdentity,
  manifests: readonly ManifestFile[],
  content: ManifestContent,
  files: readonly DataFile[],
): Promise<Removal> {
  if (files.length === 0) return { manifests, replaced: [], entriesWritten: 0 };
  const missing = new Map(files.map((file) => [normaliseLocation(file.filePath), file]));
  const rewrites = await Promise.all(
    manifests.map(async (manifest) => {
      if (manifest.content !== content) return undefined;
      const spec = staging.spec(manifest.specId);
      if (!files.some((file) => mayHoldFile(manifest, spec, file))) return undefined;
      return splitEntries(staging, manifest, missing);
    }),
  );
  const found = rewrites.flatMap((rewrite) => rewrite?.deleted ?? []);
  for (const file of found) missing.delete(normaliseLocation(file.filePath));
  if (missing.size > 0) throw notInTable([...missing.values()]);

  const written: ManifestFile[] = [];
  const replaced: ManifestFile[] = [];
  let entriesWritten = 0;
  for (const [n, manifest] of manifests.entries()) {
    const rewrite = rewrites[n];
    if (rewrite === undefined) {
      written.push(manifest);
      continue;
    }
    replaced.push(manifest);
    entriesWritten += rewrite.existing.length + rewrite.deleted.length;
    written.push(await staging.addManifest(snapshot, manifest.specId, content, rewrite));
  }
  return { manifests: written, replaced, entriesWritten };
}

interface SplitEntries {
  readonly existing: readonly LiveFile[];
  readonly deleted: readonly LiveFile[];
}

/** undefined when the manifest holds none of the files. */
async function splitEntries(
  staging: Staging,
  manifest: ManifestFile,
  files: ReadonlyMap<string, DataFile>,
): Promise<SplitEntries | undefined> {
  const existing: LiveFile[] = [];
  const deleted: LiveFile[] = [];
  for (const { status, file } of await staging.entries(manifest)) {
    if (status === EntryStatus.deleted) continue;
    (files.has(normaliseLocation(file.filePath)) ? deleted : existing).push(file);
  }
  return deleted.length === 0 ? undefined : { existing, deleted };
}

function notInTable(files: readonly DataFile[]): LakeError {
  const locations = files.slice(0, 5).map((file) => file.filePath);
  return new LakeError("conflict", `${files.length} files to remove are not in the table, ${locations[0]} for one`, {
    context: { files: files.length, locations },
  });
}
