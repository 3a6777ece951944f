import {
  LakeError,
  isLakeError,
  metadataBytes,
  nextMetadataLocation,
  stringifyLakeJson,
  type ObjectStore,
} from "@firn/lake";
import type { Logger } from "@firn/service";
import type { MetadataCache } from "./metadata-cache.ts";
import { storedMetadata, type Located, type StoredMetadata } from "./stored-metadata.ts";

export interface MetadataFilesOptions<M extends Located> {
  readonly store: ObjectStore;
  readonly cache: MetadataCache<M>;
  /** Reads the bytes of a file; errors name the location. */
  readonly parse: (bytes: Uint8Array, location: string) => Promise<M>;
  readonly log: Logger;
  readonly uuid: () => string;
  /** For so long a file that was seen is taken to be there: a look at an object store is a request of its own. */
  readonly presentMs: number;
}

/** Locations whose last look is remembered. */
const SEEN_MAX = 10_000;

/** Metadata files of tables or of views in the warehouse: read through the cache, written durably, deleted in the background. */
export class MetadataFiles<M extends Located> {
  readonly #options: MetadataFilesOptions<M>;
  readonly #deletions = new Set<Promise<void>>();
  readonly #seenAtMs = new Map<string, number>();

  constructor(options: MetadataFilesOptions<M>) {
    this.#options = options;
  }

  async read(location: string): Promise<StoredMetadata<M>> {
    const { store, cache } = this.#options;
    const cached = cache.get(location);
    if (cached !== undefined) return cached;
    return this.#fetch(store, location);
  }

  /** The same for an answer to a client, which must not be told of a table whose file is gone. */
  async readPresent(location: string): Promise<StoredMetadata<M>> {
    const { store, cache } = this.#options;
    const cached = cache.get(location);
    if (cached === undefined) return this.#fetch(store, location);
    const { presentMs } = this.#options;
    const nowMs = performance.now();
    if (nowMs - (this.#seenAtMs.get(location) ?? Number.NEGATIVE_INFINITY) < presentMs) return cached;
    if ((await store.stat(location)) === undefined) throw missingFile(location);
    if (presentMs > 0) this.#see(location, nowMs);
    return cached;
  }

  /** The oldest goes first: a Map keeps the order of insertion. */
  #see(location: string, nowMs: number): void {
    this.#seenAtMs.delete(location);
    this.#seenAtMs.set(location, nowMs);
    for (const oldest of this.#seenAtMs.keys()) {
      if (this.#seenAtMs.size <= SEEN_MAX) return;
      this.#seenAtMs.delete(oldest);
    }
  }

  async #fetch(store: ObjectStore, location: string): Promise<StoredMetadata<M>> {
    const { cache, parse } = this.#options;
    const stored = storedMetadata(await parse(await this.#bytes(store, location), location), location);
    cache.put(stored);
    return stored;
  }

  async #bytes(store: ObjectStore, location: string): Promise<Uint8Array> {
    try {
      return await store.get(location);
    } catch (cause) {
      if (!isLakeError(cause, "not_found")) throw cause;
      throw missingFile(location, cause);
    }
  }

  /** Writes the metadata under a new name; nothing points at it yet. */
  async write(metadata: M, previousLocation: string | undefined): Promise<StoredMetadata<M>> {
    const { store, uuid } = this.#options;
    const json = stringifyLakeJson(metadata);
    const bytes = await metadataBytes(metadata, json);
    const metadataLocation = nextMetadataLocation(metadata, previousLocation, uuid(), bytes);
    await store.put(metadataLocation, bytes, { ifAbsent: true });
    return { metadata, metadataLocation, json };
  }

  /** What was written has become current. */
  committed(stored: StoredMetadata<M>, previousLocation: string | undefined): void {
    if (previousLocation !== undefined) this.#options.cache.drop(previousLocation);
    this.#options.cache.put(stored);
    if (this.#options.presentMs > 0) this.#see(stored.metadataLocation, performance.now());
  }

  /** Deletes files that nothing points at any more; a failure leaves an orphan, which is only logged. */
  deleteLater(locations: readonly string[]): void {
    for (const location of locations) {
      const deletion = this.#options.store
        .delete(location)
        .catch((error: unknown) => this.#options.log.warn("metadata file stays behind", { location, error }))
        .finally(() => this.#deletions.delete(deletion));
      this.#deletions.add(deletion);
    }
  }

  /** Resolves when no deletion is under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#deletions);
  }
}

function missingFile(location: string, cause?: unknown): LakeError {
  return new LakeError("not_found", `Failed to open input stream for file: ${location}`, {
    context: { missing: "file", location },
    ...(cause === undefined ? {} : { cause }),
  });
}
