/**
 * Header of the message that carries a shard's position: where the accepted messages of the dataset's other tables end,
 * as JSON by the table's name. A positive number is a sequence; a negative one counts back from the message itself,
 * whose sequence nobody knows before it is appended.
 */
export const OTHERS_HEADER = "Firn-Others";

/**
 * @param known last sequences so far
 * @param behind how many messages before this one the last of a table in the same append stands
 */
export function otherEndsHeader(
  known: ReadonlyMap<string, number>,
  behind: ReadonlyMap<string, number>,
): Record<string, string> {
  const ends = new Map(known);
  for (const [table, messages] of behind) ends.set(table, -messages);
  return ends.size === 0 ? {} : { [OTHERS_HEADER]: JSON.stringify(Object.fromEntries(ends)) };
}

/** Sequences by the table's name, from the header of the message that has this sequence. */
export function parseOtherEnds(header: string | undefined, sequence: number): Map<string, number> {
  if (header === undefined) return new Map();
  const ends = Object.entries(JSON.parse(header) as Record<string, number>);
  return new Map(ends.map(([table, end]) => [table, end < 0 ? sequence + end : end]));
}
