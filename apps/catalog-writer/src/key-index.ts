/**
 * The local key index of one table: identity digest → (content digest, partition).
 *
 * Promise: it equals the table at the snapshot that it names, or says that it does not; it is written after the
 * commit and can be deleted at any time (the table rebuilds it). Merging and compaction do not touch it, since it
 * holds no file names. One process opens it; reads see every write that `apply` has resolved.
 */
import { open, type Database, type RootDatabase } from "lmdb";
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { IndexChange, IndexEntry } from "./resolve.ts";

/** Changes when a digest or the layout below does: an index of another version is rebuilt. */
export const keyIndexVersion = "1:md5:duckdb-1.5.5";

const changesPerTransaction = 20_000;
const mapSizeMax = 64 * 1024 ** 3;

export interface IndexState {
  readonly version: string;
  readonly tableUuid: string;
  /** Snapshot that the index equals, in decimal; "" for a table without one. */
  readonly snapshotId: string;
  /** False while a batch or a rebuild is half written. */
  readonly whole: boolean;
}

/** LMDB trusts its pages: a damaged inner page can end the process, so an index that is opened and never written to
 * this many times in a row is taken for damaged. */
const fruitlessOpeningsMax = 3;
const openingsFile = "openings";

function countOpening(folder: string): number {
  const path = join(folder, openingsFile);
  const count = (existsSync(path) ? Number(readFileSync(path, "utf8")) || 0 : 0) + 1;
  writeFileSync(path, String(count));
  return count;
}

/** Whether the file is absent or both of its meta pages carry LMDB's magic number (which LMDB asserts, but only so). */
function looksLikeLmdb(path: string): boolean {
  if (!existsSync(path)) return true;
  const file = openSync(path, "r");
  try {
    const page = Buffer.alloc(lmdbPageBytes * 2);
    if (readSync(file, page, 0, page.length, 0) < page.length) return fstatSync(file).size === 0;
    return [0, lmdbPageBytes].every((start) => page.readUInt32LE(start + lmdbMagicOffset) === lmdbMagic);
  } finally {
    closeSync(file);
  }
}

const lmdbPageBytes = 4096;
const lmdbMagicOffset = 24;
const lmdbMagic = 0xbeefc0de;

export class KeyIndex {
  readonly #root: RootDatabase;
  readonly #entries: Database<Buffer, Buffer>;
  readonly #meta: Database<unknown, string>;
  readonly #partitions: Database<number, string>;
  readonly #ordinals = new Map<string, number>();
  readonly #names: string[] = [];

  readonly #folder: string;

  private constructor(folder: string, root: RootDatabase) {
    this.#folder = folder;
    this.#root = root;
    this.#entries = root.openDB({ name: "entries", keyEncoding: "binary", encoding: "binary" });
    this.#meta = root.openDB({ name: "meta", encoding: "json" });
    this.#partitions = root.openDB({ name: "partitions", encoding: "json" });
    for (const { key, value } of this.#partitions.getRange()) {
      this.#ordinals.set(key, value);
      this.#names[value] = key;
    }
  }

  /** Opens the index in a folder of its own; a damaged one is thrown away (it is only a cache). */
  static open(folder: string): KeyIndex {
    mkdirSync(folder, { recursive: true });
    const openings = countOpening(folder);
    if (openings > fruitlessOpeningsMax || !looksLikeLmdb(join(folder, "data.mdb"))) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
    }
    return new KeyIndex(folder, open({ path: folder, compression: false, mapSize: mapSizeMax, maxDbs: 4 }));
  }

  state(): IndexState | undefined {
    const state = this.#meta.get("state") as IndexState | undefined;
    return state?.version === keyIndexVersion ? state : undefined;
  }

  lookUp(key: Buffer): IndexEntry | undefined {
    const value = this.#entries.getBinaryFast(key);
    if (value === undefined) return undefined;
    return { content: value.readBigUInt64LE(0), partition: value.readInt32LE(8) };
  }

  /** The ordinal of a partition (its values as one text), assigned at first sight. */
  async partitionOrdinal(name: string): Promise<number> {
    const known = this.#ordinals.get(name);
    if (known !== undefined) return known;
    const ordinal = this.#names.length;
    this.#ordinals.set(name, ordinal);
    this.#names.push(name);
    await this.#partitions.put(name, ordinal);
    return ordinal;
  }

  partitionName(ordinal: number): string | undefined {
    return this.#names[ordinal];
  }

  /** Number of identities. */
  size(): number {
    return (this.#entries.getStats() as { entryCount: number }).entryCount;
  }

  /** Writes a batch's changes and names the snapshot that the index then equals. */
  async apply(changes: readonly IndexChange[], after: Omit<IndexState, "version" | "whole">): Promise<void> {
    if (changes.length > changesPerTransaction) {
      await this.applyPart(changes);
      await this.#root.transaction(() => this.#putState(after));
    } else {
      await this.#root.transaction(() => {
        for (const change of changes) this.#write(change);
        this.#putState(after);
      });
    }
    rmSync(join(this.#folder, openingsFile), { force: true });
  }

  /** Writes changes without naming a snapshot: a crash before the next `apply` leaves the index marked as not whole. */
  async applyPart(changes: readonly IndexChange[]): Promise<void> {
    const before = this.state();
    if (before?.whole) await this.#meta.put("state", { ...before, whole: false });
    const sorted = [...changes].sort((a, b) => Buffer.compare(a.key, b.key));
    for (let start = 0; start < sorted.length; start += changesPerTransaction)
      await this.#root.transaction(() => {
        for (const change of sorted.slice(start, start + changesPerTransaction)) this.#write(change);
      });
  }

  /** Starts a rebuild: empties the index and marks it as not whole. */
  async clear(tableUuid: string): Promise<void> {
    await this.#entries.clearAsync();
    await this.#meta.put("state", { version: keyIndexVersion, tableUuid, snapshotId: "", whole: false });
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #putState(after: Omit<IndexState, "version" | "whole">): void {
    void this.#meta.put("state", { ...after, version: keyIndexVersion, whole: true });
  }

  #write(change: IndexChange): void {
    if (change.entry === undefined) {
      void this.#entries.remove(change.key);
      return;
    }
    const value = Buffer.allocUnsafe(12);
    value.writeBigUInt64LE(change.entry.content, 0);
    value.writeInt32LE(change.entry.partition, 8);
    void this.#entries.put(change.key, value);
  }
}
