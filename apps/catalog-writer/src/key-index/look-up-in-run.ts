import type { TableEntries } from "../resolve.ts";
import { type KeyWords, removedPartition } from "./identity-keys.ts";
import { blockEntries, type KeyRun } from "./key-run.ts";

/** In place of a record that the run knows. */
const knownRow = -1;

/**
 * Asks a run for some records and writes down what it says of them.
 * @param rows records in the order of their keys
 * @returns those that the run knows nothing of
 */
export function lookUpInRun(run: KeyRun, words: KeyWords, rows: Int32Array, into: TableEntries): Int32Array {
  const places = placesPossible(run, words, rows);
  const dense = places.length * 4 * blockEntries > run.entries;
  const left = rows.slice();
  let known = 0;
  for (const place of places) {
    const row = rows[place]!;
    const entry = run.find(words.of(row), dense);
    if (entry === undefined) continue;
    left[place] = knownRow;
    known++;
    if (entry.partition === removedPartition) continue;
    into.found[row] = 1;
    into.content[row] = entry.content;
    into.partition[row] = entry.partition;
  }
  return known === 0 ? rows : left.filter((row) => row !== knownRow);
}

/** Where among the rows those are that the run may have, by its filter. */
function placesPossible(run: KeyRun, words: KeyWords, rows: Int32Array): Int32Array {
  const places = new Int32Array(rows.length);
  let count = 0;
  for (let place = 0; place < rows.length; place++) {
    const key = words.of(rows[place]!);
    if (run.mayHave(key[0]!, key[1]!, key[2]!)) places[count++] = place;
  }
  return places.subarray(0, count);
}
