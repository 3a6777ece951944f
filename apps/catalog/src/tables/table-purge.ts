import {
  boundSpec,
  decodeManifest,
  decodeManifestList,
  isLakeError,
  type ManifestFile,
  type ObjectStore,
  type Snapshot,
  type TableMetadata,
} from "@firn/lake";
import type { Logger } from "@firn/service";
import type { MetadataFiles } from "../metadata/metadata-files.ts";

/** Files that are read or deleted at the same time. */
const CONCURRENCY = 16;

/** Deletes all files of a table that is no longer in the catalog. */
export class TablePurge {
  readonly #store: ObjectStore;
  readonly #files: MetadataFiles<TableMetadata>;
  readonly #log: Logger;

  constructor(store: ObjectStore, files: MetadataFiles<TableMetadata>, log: Logger) {
    this.#store = store;
    this.#files = files;
    this.#log = log;
  }

  /**
   * Data and delete files first, then manifests, lists and statistics, metadata files last: what a purge that breaks
   * off leaves can still be found from the metadata. A file that cannot be read or deleted is logged and stays.
   * With `gc.enabled=false` the data may belong to other tables too, and only metadata files go.
   */
  async purge(metadataLocation: string): Promise<void> {
    const { metadata } = await this.#files.read(metadataLocation);
    if (metadata.properties["gc.enabled"]?.toLowerCase() !== "false") await this.#purgeContent(metadata);
    const history = metadata["metadata-log"].map((entry) => entry["metadata-file"]);
    await this.#deleteAll([...history, metadataLocation]);
  }

  async #purgeContent(metadata: TableMetadata): Promise<void> {
    const manifests = new Map<string, ManifestFile>();
    await forEachConcurrently(metadata.snapshots, async (snapshot) => {
      for (const manifest of await this.#manifestsOf(snapshot)) manifests.set(manifest.manifestPath, manifest);
    });
    const files = new Set<string>();
    await forEachConcurrently([...manifests.values()], async (manifest) => {
      for (const path of await this.#filesOf(manifest, metadata)) files.add(path);
    });
    await this.#deleteAll([...files]);
    await this.#deleteAll([...manifests.keys()]);
    const lists = metadata.snapshots.flatMap((snapshot) => snapshot["manifest-list"] ?? []);
    const statistics = [...metadata.statistics, ...metadata["partition-statistics"]];
    await this.#deleteAll([...lists, ...statistics.map((file) => file["statistics-path"])]);
  }

  async #manifestsOf(snapshot: Snapshot): Promise<ManifestFile[]> {
    const list = snapshot["manifest-list"];
    if (list === undefined) return [];
    return this.#orNothing(list, async () => decodeManifestList(await this.#store.get(list)));
  }

  async #filesOf(manifest: ManifestFile, metadata: TableMetadata): Promise<string[]> {
    return this.#orNothing(manifest.manifestPath, async () => {
      const bytes = await this.#store.get(manifest.manifestPath);
      const entries = await decodeManifest(bytes, manifest, boundSpec(metadata, manifest.specId));
      return entries.map((entry) => entry.file.filePath);
    });
  }

  async #orNothing<T>(location: string, read: () => Promise<T[]>): Promise<T[]> {
    try {
      return await read();
    } catch (error) {
      if (!isLakeError(error, "not_found", "corrupt", "invalid")) throw error;
      this.#log.warn("not readable during a purge", { location, error });
      return [];
    }
  }

  async #deleteAll(locations: readonly string[]): Promise<void> {
    await forEachConcurrently(locations, async (location) => {
      try {
        await this.#store.delete(location);
      } catch (error) {
        this.#log.warn("file stays behind after a purge", { location, error });
      }
    });
  }
}

async function forEachConcurrently<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
}
