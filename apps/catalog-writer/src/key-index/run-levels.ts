/** Runs of a level that are kept beside each other; the next one makes them one run of the level above. */
const runsPerLevel = 4;
const levelFactor = 4;

/**
 * How many of the newest runs to merge now; 0 for none. Only what a level holds itself makes it due, what lower levels
 * become by the same merge counted as one run: so each entry is merged once a level, and levels grow fourfold. Writing
 * costs O(log table) an entry, and looking up asks three runs a level at most.
 * @param entries of each run, oldest first
 * @param smallest entries of a run of the lowest level
 */
export function runsToMerge(entries: readonly number[], smallest: number): number {
  const levelOf = (count: number) => Math.max(0, Math.floor(Math.log(count / smallest) / Math.log(levelFactor)));
  const highest = levelOf(Math.max(0, ...entries));
  let due = 0;
  let start = entries.length;
  for (let level = 0; level <= highest; level++) {
    const lower = start;
    // A smaller run between larger ones counts as one of theirs.
    while (start > 0 && levelOf(entries[start - 1]!) <= level) start--;
    const sum = entries.slice(entries.length - due).reduce((rows, count) => rows + count, 0);
    const fromBelow = due > 0 && levelOf(sum) >= level ? 1 : 0;
    if (lower - start + fromBelow >= runsPerLevel) due = entries.length - start;
  }
  return due;
}
