/**
 * A run of the key index: a file with entries in the order of their keys, each key once, never changed.
 *
 * Layout, all words little-endian: entries of 7 words (4 of the key, most significant first; 2 of the content digest,
 * low word first; 1 of the partition, -1 for a removed identity); the fence, the first two words of the key of every
 * 128th entry; the filter; and a footer of 8 words: magic, version, entries, fence words, filter words, CRC-32 of
 * everything before the footer, 0, magic. Fence and filter are held in memory (1.5 bytes a key), entries are read.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import { entryBytes, entryWords } from "./identity-keys.ts";
import { mayHave } from "./run-filter.ts";

export const runMagic = 0x4e555246;
export const runVersion = 1;
export const footerWords = 8;
/** Entries of a block: what one look-up reads. */
export const blockEntries = 128;

const checkedBytes = 4 * 1024 * 1024;
/** Blocks that are read together where most of them are asked for. */
const blocksTogether = 32;

export class DamagedRun extends Error {
  override readonly name = "DamagedRun";
}

/** What an open run says of the keys that are asked for, in their order. */
export interface FoundEntry {
  readonly content: bigint;
  readonly partition: number;
}

/** A run that was just written: what its file says of itself is known without reading it. */
export interface WrittenRun {
  readonly path: string;
  readonly entries: number;
  readonly fence: Uint32Array;
  readonly filter: Uint32Array;
}

export class KeyRun {
  readonly path: string;
  readonly entries: number;
  readonly #file: number;
  readonly #fence: Uint32Array;
  readonly #filter: Uint32Array;
  readonly #window = new Uint32Array(blocksTogether * blockEntries * entryWords);
  /** Entries [start, end) that lie in the window. */
  #windowStart = 0;
  #windowEnd = 0;

  private constructor(file: number, { path, entries, fence, filter }: WrittenRun) {
    this.path = path;
    this.#file = file;
    this.entries = entries;
    this.#fence = fence;
    this.#filter = filter;
  }

  static ofWritten(run: WrittenRun): KeyRun {
    return new KeyRun(openSync(run.path, "r"), run);
  }

  /** Opens a run and reads it once from front to end to see that no byte has changed. @throws DamagedRun */
  static open(path: string): KeyRun {
    const file = openSync(path, "r");
    try {
      const size = fstatSync(file).size;
      const footer = readWords(file, size - footerWords * 4, footerWords);
      const [magic, version, entries, fenceWords, filterWords, checksum, , magicAgain] = footer as unknown as number[];
      const bytes = entries! * entryBytes + (fenceWords! + filterWords!) * 4;
      if (magic !== runMagic || magicAgain !== runMagic || version !== runVersion)
        throw new DamagedRun(`${path}: not a run of version ${runVersion}`);
      if (bytes + footerWords * 4 !== size) throw new DamagedRun(`${path}: ${size} bytes do not fit its footer`);
      if (checksumOf(file, bytes) !== checksum) throw new DamagedRun(`${path}: its checksum differs`);
      const fence = readWords(file, entries! * entryBytes, fenceWords!);
      const filter = readWords(file, entries! * entryBytes + fenceWords! * 4, filterWords!);
      return new KeyRun(file, { path, entries: entries!, fence, filter });
    } catch (error) {
      closeSync(file);
      throw error instanceof DamagedRun ? error : new DamagedRun(`${path}: ${String(error)}`, { cause: error });
    }
  }

  /** Whether the run may have a key with these first words. */
  mayHave(first: number, second: number, third: number): boolean {
    return mayHave(this.#filter, first, second, third);
  }

  /**
   * The entry of a key; undefined when the run has none. Cheapest where keys are asked for in their order.
   * @param dense most blocks of the run are going to be asked for: read many at once
   */
  find(key: Uint32Array, dense: boolean): FoundEntry | undefined {
    const block = this.#blockOf(key[0]!, key[1]!);
    if (block < 0) return undefined;
    // Keys that share two words with a fence may lie in the block before it.
    for (let at = block; at >= 0; at--) {
      const found = this.#findInBlock(at, key, dense);
      if (found !== undefined || at === 0) return found;
      if (this.#fence[at * 2]! !== key[0]! || this.#fence[at * 2 + 1]! !== key[1]!) return undefined;
    }
    return undefined;
  }

  /** Entries [start, start + count) into `into`. */
  read(start: number, count: number, into: Uint32Array): void {
    readInto(this.#file, start * entryBytes, into.subarray(0, count * entryWords));
  }

  close(): void {
    closeSync(this.#file);
  }

  /** The last block whose fence is not after the key; -1 when the key is before all. */
  #blockOf(first: number, second: number): number {
    let low = 0;
    let high = this.#fence.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const word = this.#fence[middle * 2]!;
      if (word < first || (word === first && this.#fence[middle * 2 + 1]! <= second)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #findInBlock(block: number, key: Uint32Array, dense: boolean): FoundEntry | undefined {
    const start = block * blockEntries;
    const end = Math.min(this.entries, start + blockEntries);
    if (start < this.#windowStart || end > this.#windowEnd) {
      this.#windowStart = start;
      this.#windowEnd = Math.min(this.entries, start + blockEntries * (dense ? blocksTogether : 1));
      this.read(start, this.#windowEnd - start, this.#window);
    }
    let low = start - this.#windowStart;
    let high = end - this.#windowStart;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBeforeKey(this.#window, middle, key)) low = middle + 1;
      else high = middle;
    }
    if (low >= end - this.#windowStart) return undefined;
    const at = low * entryWords;
    for (let word = 0; word < 4; word++) if (this.#window[at + word]! !== key[word]!) return undefined;
    const content = (BigInt(this.#window[at + 5]!) << 32n) | BigInt(this.#window[at + 4]!);
    return { content, partition: this.#window[at + 6]! | 0 };
  }
}

function isBeforeKey(entries: Uint32Array, entry: number, key: Uint32Array): boolean {
  const at = entry * entryWords;
  for (let word = 0; word < 4; word++) {
    if (entries[at + word]! !== key[word]!) return entries[at + word]! < key[word]!;
  }
  return false;
}

function checksumOf(file: number, bytes: number): number {
  const part = Buffer.alloc(Math.min(checkedBytes, bytes));
  let checksum = 0;
  for (let at = 0; at < bytes;) {
    const read = readSync(file, part, 0, Math.min(part.length, bytes - at), at);
    if (read === 0) throw new DamagedRun("the file ends early");
    checksum = crc32(part.subarray(0, read), checksum);
    at += read;
  }
  return checksum;
}

function readWords(file: number, at: number, count: number): Uint32Array {
  const words = new Uint32Array(count);
  readInto(file, at, words);
  return words;
}

function readInto(file: number, at: number, words: Uint32Array): void {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  for (let filled = 0; filled < bytes.length;) {
    const read = readSync(file, bytes, filled, bytes.length - filled, at + filled);
    if (read === 0) throw new DamagedRun("the file ends early");
    filled += read;
  }
}
