import { closeSync, fsync, fsyncSync, openSync, writeSync } from "node:fs";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { entryWords } from "./identity-keys.ts";
import { blockEntries, footerWords, runMagic, runVersion, type WrittenRun } from "./key-run.ts";
import { addToFilter, emptyFilter } from "./run-filter.ts";

const bufferEntries = 16_384;
const synced = promisify(fsync);

/** Writes a run entry by entry, in the order of their keys; durable once it is finished. */
export class RunWriter {
  readonly #path: string;
  readonly #file: number;
  readonly #buffer = new Uint32Array(bufferEntries * entryWords);
  readonly #filter: Uint32Array;
  readonly #fence: Uint32Array;
  #held = 0;
  #entries = 0;
  #checksum = 0;

  /** @param entriesMax how many entries there are at most: sizes fence and filter */
  constructor(path: string, entriesMax: number) {
    this.#path = path;
    this.#file = openSync(path, "w");
    this.#filter = emptyFilter(entriesMax);
    this.#fence = new Uint32Array(Math.ceil(entriesMax / blockEntries) * 2);
  }

  /** Takes the entry whose words begin at `from`. */
  add(words: Uint32Array, from: number): void {
    const to = this.#held * entryWords;
    for (let word = 0; word < entryWords; word++) this.#buffer[to + word] = words[from + word]!;
    addToFilter(this.#filter, words[from]!, words[from + 1]!, words[from + 2]!);
    if (this.#entries % blockEntries === 0) {
      const block = this.#entries / blockEntries;
      this.#fence[block * 2] = words[from]!;
      this.#fence[block * 2 + 1] = words[from + 1]!;
    }
    this.#entries++;
    if (++this.#held === bufferEntries) this.#flush();
  }

  finish(): WrittenRun {
    try {
      const written = this.#end();
      fsyncSync(this.#file);
      return written;
    } finally {
      closeSync(this.#file);
    }
  }

  /** The same, letting other work go on: a large run takes seconds to reach the disk. */
  async finishBeside(): Promise<WrittenRun> {
    try {
      const written = this.#end();
      await synced(this.#file);
      return written;
    } finally {
      closeSync(this.#file);
    }
  }

  /** Gives up: the file is left as it is. */
  abandon(): void {
    closeSync(this.#file);
  }

  #end(): WrittenRun {
    this.#flush();
    const entries = this.#entries;
    const fence = this.#fence.slice(0, Math.ceil(entries / blockEntries) * 2);
    const filter = this.#filter;
    this.#write(fence);
    this.#write(filter);
    const footer = new Uint32Array(footerWords);
    footer.set([runMagic, runVersion, entries, fence.length, filter.length, this.#checksum, 0, runMagic]);
    this.#write(footer);
    return { path: this.#path, entries, fence, filter };
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#held * entryWords));
    this.#held = 0;
  }

  #write(words: Uint32Array): void {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    this.#checksum = crc32(bytes, this.#checksum);
    for (let written = 0; written < bytes.length;)
      written += writeSync(this.#file, bytes, written, bytes.length - written);
  }
}
