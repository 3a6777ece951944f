import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { entryWords } from "./identity-keys.ts";
import { blockEntries, footerWords, runMagic, runVersion } from "./key-run.ts";
import { addToFilter, emptyFilter } from "./run-filter.ts";

const bufferEntries = 16_384;

/** Writes a run entry by entry, in the order of their keys; durable once `finish` has returned. */
export class RunWriter {
  readonly #file: number;
  readonly #buffer = new Uint32Array(bufferEntries * entryWords);
  readonly #filter: Uint32Array;
  readonly #fence: number[] = [];
  #held = 0;
  #entries = 0;
  #checksum = 0;

  /** @param entriesMax how many entries there are at most: sizes the filter */
  constructor(path: string, entriesMax: number) {
    this.#file = openSync(path, "w");
    this.#filter = emptyFilter(entriesMax);
  }

  get entries(): number {
    return this.#entries;
  }

  /** Takes entry `at` of `entries`. */
  add(entries: Uint32Array, at: number): void {
    const from = at * entryWords;
    const to = this.#held * entryWords;
    for (let word = 0; word < entryWords; word++) this.#buffer[to + word] = entries[from + word]!;
    addToFilter(this.#filter, entries[from]!, entries[from + 1]!, entries[from + 2]!);
    if (this.#entries % blockEntries === 0) this.#fence.push(entries[from]!, entries[from + 1]!);
    this.#entries++;
    if (++this.#held === bufferEntries) this.#flush();
  }

  finish(): void {
    try {
      this.#flush();
      const fence = Uint32Array.from(this.#fence);
      this.#write(fence);
      this.#write(this.#filter);
      const footer = new Uint32Array(footerWords);
      footer.set([runMagic, runVersion, this.#entries, fence.length, this.#filter.length, this.#checksum, 0, runMagic]);
      this.#write(footer);
      fsyncSync(this.#file);
    } finally {
      closeSync(this.#file);
    }
  }

  /** Gives up: the file is left as it is. */
  abandon(): void {
    closeSync(this.#file);
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#held * entryWords));
    this.#held = 0;
  }

  #write(words: Uint32Array): void {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    this.#checksum = crc32(bytes, this.#checksum);
    for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
  }
}
