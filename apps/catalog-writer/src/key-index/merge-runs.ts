import { rmSync } from "node:fs";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { compareWords, entryWords, removedPartition } from "./identity-keys.ts";
import type { KeyRun, WrittenRun } from "./key-run.ts";
import { RunWriter } from "./run-writer.ts";

const readEntries = 8_192;
/** Some milliseconds of work, which a commit may have to wait for. */
const entriesPerTurn = 50_000;

/** One run read from front to end. */
class RunReader {
  readonly #run: KeyRun;
  readonly words = new Uint32Array(readEntries * entryWords);
  /** Where the current entry begins in `words`. */
  at = 0;
  #end = 0;
  #next = 0;

  constructor(run: KeyRun) {
    this.#run = run;
    this.#fill();
  }

  /** The first 53 bits of the current key, which a number holds exactly; after the last entry infinite. */
  get head(): number {
    return this.#end === 0 ? Infinity : this.words[this.at]! * 2 ** 21 + (this.words[this.at + 1]! >>> 11);
  }

  advance(): void {
    this.at += entryWords;
    if (this.at >= this.#end) this.#fill();
  }

  #fill(): void {
    const count = Math.min(readEntries, this.#run.entries - this.#next);
    this.at = 0;
    this.#end = count * entryWords;
    if (count === 0) return;
    this.#run.read(this.#next, count, this.words);
    this.#next += count;
  }
}

export interface MergeOptions {
  /** Nothing older is left, so that removed identities need not be remembered. */
  readonly isOldest: boolean;
  /** Asked from time to time: whether to give up, and leave no file. */
  isStopped(): boolean;
}

/**
 * Writes runs as one, beside other work. Of a key that several have, the newest says what holds.
 * @param runs newest first
 * @returns undefined where it was stopped
 */
export async function mergeRuns(
  runs: readonly KeyRun[],
  path: string,
  { isOldest, isStopped }: MergeOptions,
): Promise<WrittenRun | undefined> {
  const merge = new Merge(runs);
  const entriesMax = runs.reduce((sum, run) => sum + run.entries, 0);
  const writer = new RunWriter(path, entriesMax);
  let stopped = false;
  try {
    while (!stopped && merge.copySome(writer, isOldest)) {
      await yieldToOthers();
      stopped = isStopped();
    }
  } catch (error) {
    writer.abandon();
    throw error;
  }
  if (!stopped) return writer.finishBeside();
  writer.abandon();
  rmSync(path, { force: true });
  return undefined;
}

class Merge {
  readonly #readers: readonly RunReader[];
  /** Of each reader: numbers are compared before whole keys are. */
  readonly #heads: Float64Array;

  constructor(runs: readonly KeyRun[]) {
    this.#readers = runs.map((run) => new RunReader(run));
    this.#heads = Float64Array.from(this.#readers, (reader) => reader.head);
  }

  /** @returns whether there is more */
  copySome(writer: RunWriter, isOldest: boolean): boolean {
    for (let copied = 0; copied < entriesPerTurn; copied++) {
      const least = this.#least();
      if (this.#heads[least] === Infinity) return false;
      const { words, at } = this.#readers[least]!;
      if (!isOldest || (words[at + 6]! | 0) !== removedPartition) writer.add(words, at);
      this.#passKey(least);
    }
    return true;
  }

  /** The reader with the least key; of several the newest, which comes first. */
  #least(): number {
    const heads = this.#heads;
    let least = 0;
    for (let n = 1; n < heads.length; n++)
      if (heads[n]! < heads[least]! || (heads[n] === heads[least] && this.#compare(n, least) < 0)) least = n;
    return least;
  }

  /** Moves every reader past the key that `least` is at. */
  #passKey(least: number): void {
    const heads = this.#heads;
    const head = heads[least]!;
    for (let n = least + 1; n < heads.length; n++)
      if (heads[n] === head && this.#compare(n, least) === 0) this.#advance(n);
    this.#advance(least);
  }

  #advance(n: number): void {
    const reader = this.#readers[n]!;
    reader.advance();
    this.#heads[n] = reader.head;
  }

  #compare(one: number, other: number): number {
    const [a, b] = [this.#readers[one]!, this.#readers[other]!];
    return compareWords(a.words, a.at, b.words, b.at);
  }
}
