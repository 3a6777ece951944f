import { EntryStatus } from "../manifest/manifest-entry.ts";
import { readManifest } from "../manifest/manifest-io.ts";
import type { ManifestFile } from "../manifest/manifest-file.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import { joinLocation, normaliseLocation } from "../store/location.ts";
import type { ListedObject } from "../store/object-store.ts";
import { manifestsOfSnapshot } from "./current-files.ts";
import type { LakeEnvironment } from "./environment.ts";
import { loadTable, type Table } from "./table.ts";

export interface OrphanOptions {
  /**
   * Files that changed later are not looked at: those of a commit under way are named by nothing yet. To be longer ago
   * than the longest commit takes.
   */
  readonly olderThanMs: number;
  /** Locations that something outside of the table names, in any spelling; asked for after the folder was listed. */
  readonly spared?: () => Promise<Iterable<string>>;
}

/** Folders of a table; what lies beside them may be another table's. */
const folders = ["data", "metadata"];

/**
 * The files below a table's `data` and `metadata` folders that nothing names: no retained snapshot of any branch or
 * tag, not the metadata log, no statistics. Deletes nothing.
 *
 * The folder is listed before the table is loaded, so that a file which a commit has named meanwhile is never taken for
 * an orphan. Locations are compared in one spelling. Two tables must not share a folder.
 * @throws LakeError when something that names files cannot be read: then nobody can tell
 */
export async function findOrphans(
  env: LakeEnvironment,
  { identifier, metadata: { location } }: Table,
  { olderThanMs, spared }: OrphanOptions,
): Promise<ListedObject[]> {
  const old = new Map<string, ListedObject>();
  for (const folder of folders)
    for await (const object of env.store.list(joinLocation(normaliseLocation(location), folder)))
      if (object.modifiedMs < olderThanMs) old.set(normaliseLocation(object.location), object);
  if (old.size === 0) return [];
  for (const name of (await spared?.()) ?? []) old.delete(normaliseLocation(name));
  const { metadata, metadataLocation } = await loadTable(env, identifier);
  if (metadata.location !== location) return [];
  for await (const name of namedFiles(env, metadata, metadataLocation)) old.delete(normaliseLocation(name));
  return [...old.values()];
}

async function* namedFiles(
  env: LakeEnvironment,
  metadata: TableMetadata,
  metadataLocation: string,
): AsyncGenerator<string> {
  yield metadataLocation;
  yield joinLocation(metadata.location, "metadata", "version-hint.text");
  for (const entry of metadata["metadata-log"]) yield entry["metadata-file"];
  for (const entry of [...metadata.statistics, ...metadata["partition-statistics"]]) yield entry["statistics-path"];
  const manifests = new Map<string, ManifestFile>();
  for (const snapshot of metadata.snapshots) {
    if (snapshot["manifest-list"] !== undefined) yield snapshot["manifest-list"];
    for (const manifest of await manifestsOfSnapshot(env, snapshot)) manifests.set(manifest.manifestPath, manifest);
  }
  for (const [location, manifest] of manifests) {
    yield location;
    for (const { status, file } of await readManifest(env, metadata, manifest))
      if (status !== EntryStatus.deleted) yield file.filePath;
  }
}

const DELETE_CONCURRENCY = 16;

/**
 * Deletes files that `findOrphans` found.
 * @returns how many could not be deleted; the next search finds them again
 */
export async function removeOrphans(env: LakeEnvironment, orphans: readonly ListedObject[]): Promise<number> {
  let failed = 0;
  for (let start = 0; start < orphans.length; start += DELETE_CONCURRENCY) {
    const some = orphans.slice(start, start + DELETE_CONCURRENCY);
    const ends = await Promise.allSettled(some.map(({ location }) => env.store.delete(location)));
    failed += ends.filter((end) => end.status === "rejected").length;
  }
  return failed;
}
