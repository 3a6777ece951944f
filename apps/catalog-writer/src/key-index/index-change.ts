import type { BatchKeys } from "../resolve.ts";
import type { KeyRun } from "./key-run.ts";
import { entryWords, KeyWords, removedPartition, wordsOf } from "./identity-keys.ts";

/** Changes of the index, by records of a batch. */
export interface IndexChange {
  readonly keys: BatchKeys;
  /** The records, each identity once. */
  readonly rows: Int32Array;
  /** The records come in the order of their keys (`keyOrder`). Default: in any. */
  readonly inKeyOrder?: boolean;
  /** Whether a record takes its identity out; else it puts it in. */
  removes(row: number): boolean;
}

/** A change as the index keeps it: entries for memory and the log, or, of many, a run that no manifest names yet. */
export type PreparedChange =
  { readonly kind: "entries"; readonly entries: Uint32Array } | { readonly kind: "run"; readonly run: KeyRun };

/** The entries of some records of a change, one after the other. */
export function entriesOf({ keys, removes }: IndexChange, rows: Int32Array): Uint32Array {
  const words = new KeyWords(keys);
  const content = wordsOf(keys.content, keys.rows);
  const entries = new Uint32Array(rows.length * entryWords);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]!;
    const start = at * entryWords;
    const key = words.of(row);
    for (let word = 0; word < 4; word++) entries[start + word] = key[word]!;
    entries[start + 4] = content[row * 2]!;
    entries[start + 5] = content[row * 2 + 1]!;
    entries[start + 6] = removes(row) ? removedPartition : keys.partition[row]!;
  }
  return entries;
}
