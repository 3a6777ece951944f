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
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { type BatchKeys, type IndexEntry, writeKey } from "./resolve.ts";

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

/** Changes of the index, by records of a batch. */
export interface IndexChange {
  readonly keys: BatchKeys;
  /** The records, each identity once. */
  readonly rows: Int32Array;
  /** Whether a record takes its identity out; else it puts it in. */
  removes(row: number): boolean;
}

export class KeyIndex {
  readonly #root: RootDatabase;
  readonly #entries: Database<Buffer, Buffer>;
  readonly #meta: Database<unknown, string>;
  readonly #partitions: Database<number, string>;
  readonly #key = Buffer.alloc(16);
  readonly #value = Buffer.alloc(12);
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

  /** What the table holds of a record's identity. */
  lookUp(keys: BatchKeys, row: number): IndexEntry | undefined {
    const value = this.#entries.getBinaryFast(writeKey(keys, row, this.#key));
    if (value === undefined) return undefined;
    return { content: value.readBigUInt64LE(0), partition: value.readInt32LE(8) };
  }

  /** Writes a batch's changes and names the snapshot that the index then equals. */
  async apply(change: IndexChange | undefined, after: Omit<IndexState, "version" | "whole">): Promise<void> {
    const large = change !== undefined && change.rows.length > changesPerTransaction;
    if (large) await this.applyPart(change);
    this.#root.transactionSync(() => {
      if (change !== undefined && !large) for (const row of change.rows) this.#write(change, row);
      this.#putState({ ...after, version: keyIndexVersion, whole: true });
    });
    rmSync(join(this.#folder, openingsFile), { force: true });
  }

  /** Writes changes without naming a snapshot: a crash before the next `apply` leaves the index marked as not whole. */
  async applyPart(change: IndexChange): Promise<void> {
    const before = this.state();
    if (before?.whole) this.#root.transactionSync(() => this.#putState({ ...before, whole: false }));
    // Neighbouring keys share pages: in order each page is written once.
    const rows = sortedByKey(change);
    for (let start = 0; start < rows.length; start += changesPerTransaction) {
      this.#root.transactionSync(() => {
        for (const row of rows.subarray(start, start + changesPerTransaction)) this.#write(change, row);
      });
      await yieldToOthers();
    }
  }

  /** Starts a rebuild: empties the index and marks it as not whole. */
  async clear(tableUuid: string): Promise<void> {
    await this.#entries.clearAsync();
    this.#root.transactionSync(() =>
      this.#putState({ version: keyIndexVersion, tableUuid, snapshotId: "", whole: false }),
    );
  }

  async close(): Promise<void> {
    // Who gets to close it was not ended by a damaged page.
    rmSync(join(this.#folder, openingsFile), { force: true });
    await this.#root.close();
  }

  #putState(state: IndexState): void {
    this.#meta.putSync("state", state);
  }

  #write({ keys, removes }: IndexChange, row: number): void {
    const key = writeKey(keys, row, this.#key);
    if (removes(row)) {
      this.#entries.removeSync(key);
      return;
    }
    this.#value.writeBigUInt64LE(keys.content[row]!, 0);
    this.#value.writeInt32LE(keys.partition[row]!, 8);
    this.#entries.putSync(key, this.#value);
  }
}

/** The rows in the order of their keys. */
function sortedByKey({ keys, rows }: IndexChange): Int32Array {
  // The first 52 bits decide nearly always, and compare as numbers.
  const rank = new Float64Array(keys.rows);
  for (const row of rows) rank[row] = Number(keys.keyHigh[row]! >> 12n);
  return rows.slice().sort((one, other) => rank[one]! - rank[other]!);
}
