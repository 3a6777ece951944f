/** Runs of a level that are kept beside each other; the next one makes them one run of the level above. */
const runsPerLevel = 4;
const levelFactor = 4;

/**
 * How many of the newest runs to merge now; 0 for none. Each entry is merged once a level, and levels grow fourfold, so
 * that writing costs O(log table) an entry and looking up asks a few runs a level.
 * @param entries of each run, oldest first
 * @param smallest entries of a run of the lowest level
 */
export function runsToMerge(entries: readonly number[], smallest: number): number {
  const levelOf = (count: number) => Math.max(0, Math.floor(Math.log(count / smallest) / Math.log(levelFactor)));
  let due = 0;
  for (let level = 0; level <= levelOf(Math.max(0, ...entries)); level++) {
    let next = entries.length;
    while (next > 0 && levelOf(entries[next - 1]!) <= level) next--;
    const count = entries.length - next;
    if (count >= runsPerLevel) due = count;
  }
  return due;
}
