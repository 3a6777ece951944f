import { setImmediate as yieldToOthers } from "node:timers/promises";
import { compareEntries, entryWords, removedPartition } from "./identity-keys.ts";
import type { KeyRun } from "./key-run.ts";
import { RunWriter } from "./run-writer.ts";

const readEntries = 8_192;
const entriesPerTurn = 50_000;

/** One run read from front to end. */
class RunReader {
  readonly #run: KeyRun;
  readonly words = new Uint32Array(readEntries * entryWords);
  at = 0;
  #read = 0;
  #next = 0;

  constructor(run: KeyRun) {
    this.#run = run;
    this.#fill();
  }

  get ended(): boolean {
    return this.at >= this.#read;
  }

  advance(): void {
    if (++this.at >= this.#read) this.#fill();
  }

  #fill(): void {
    this.#read = Math.min(readEntries, this.#run.entries - this.#next);
    this.at = 0;
    if (this.#read <= 0) return;
    this.#run.read(this.#next, this.#read, this.words);
    this.#next += this.#read;
  }
}

/**
 * Writes runs as one. Of a key that several have, the newest says what holds.
 * @param runs newest first
 * @param isOldest nothing older is left, so that removed identities need not be remembered
 * @returns entries of the new run
 */
export async function mergeRuns(runs: readonly KeyRun[], path: string, isOldest: boolean): Promise<number> {
  const readers = runs.map((run) => new RunReader(run)).filter((reader) => !reader.ended);
  const writer = new RunWriter(
    path,
    runs.reduce((sum, run) => sum + run.entries, 0),
  );
  try {
    for (let turn = 1; readers.length > 0; turn++) {
      const least = leastOf(readers);
      if (!isOldest || (least.words[least.at * entryWords + 6]! | 0) !== removedPartition)
        writer.add(least.words, least.at);
      passKey(readers, least);
      if (turn % entriesPerTurn === 0) await yieldToOthers();
    }
  } catch (error) {
    writer.abandon();
    throw error;
  }
  writer.finish();
  return writer.entries;
}

/** The reader with the least key; of several the newest, which comes first. */
function leastOf(readers: readonly RunReader[]): RunReader {
  let least = readers[0]!;
  for (const reader of readers) if (compareEntries(reader.words, reader.at, least.words, least.at) < 0) least = reader;
  return least;
}

/** Moves every reader past the key that `least` is at. */
function passKey(readers: RunReader[], least: RunReader): void {
  for (let n = readers.length - 1; n >= 0; n--) {
    const reader = readers[n]!;
    if (reader === least || compareEntries(reader.words, reader.at, least.words, least.at) !== 0) continue;
    reader.advance();
    if (reader.ended) readers.splice(n, 1);
  }
  least.advance();
  if (least.ended) readers.splice(readers.indexOf(least), 1);
}
