import type { Located, StoredMetadata } from "./stored-metadata.ts";

/**
 * Parsed metadata by location. A metadata file never changes, and which one is current is asked of the database at
 * every call, so an entry is never wrong. The least recently used go when the texts pass the limit.
 */
export class MetadataCache<M extends Located> {
  readonly #bytesMax: number;
  readonly #entries = new Map<string, StoredMetadata<M>>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(location: string): StoredMetadata<M> | undefined {
    const entry = this.#entries.get(location);
    if (entry === undefined) return undefined;
    // A Map keeps the order of insertion: the first is the one not used for the longest time.
    this.#entries.delete(location);
    this.#entries.set(location, entry);
    return entry;
  }

  put(entry: StoredMetadata<M>): void {
    this.drop(entry.metadataLocation);
    if (entry.json.length > this.#bytesMax) return;
    this.#entries.set(entry.metadataLocation, entry);
    this.#bytes += entry.json.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) return;
      this.drop(oldest);
    }
  }

  drop(location: string): void {
    const entry = this.#entries.get(location);
    if (entry === undefined) return;
    this.#entries.delete(location);
    this.#bytes -= entry.json.length;
  }
}
