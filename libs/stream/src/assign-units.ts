import { createHash } from "node:crypto";

/**
 * Who does what: the same for everybody who knows the same members. Units of a group (what stands before the first dot
 * of their names) are spread so that two members' numbers differ by one at most, as far as members take them; when a
 * member comes or goes, few others' units move (rendezvous hashing with a limit to the load).
 *
 * @param takes units that each member can do, by its name
 * @returns the member of each unit that anybody takes
 */
export function assignUnits(takes: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  const byGroup = new Map<string, Pair[]>();
  for (const [member, units] of takes)
    for (const unit of new Set(units)) {
      const group = unit.split(".", 1)[0]!;
      const pairs = byGroup.get(group) ?? [];
      pairs.push({ unit, member, rank: rankOf(unit, member) });
      byGroup.set(group, pairs);
    }
  const assigned = new Map<string, string>();
  for (const pairs of byGroup.values()) assignGroup(pairs, assigned);
  return assigned;
}

interface Pair {
  readonly unit: string;
  readonly member: string;
  readonly rank: number;
}

/** Round by round: each lets every member have one unit more, the best pairs first. */
function assignGroup(pairs: readonly Pair[], assigned: Map<string, string>): void {
  const best = [...pairs].sort((a, b) => b.rank - a.rank || compare(a.unit, b.unit) || compare(a.member, b.member));
  const load = new Map<string, number>();
  const units = new Set(pairs.map(({ unit }) => unit));
  for (let limit = 1, left = units.size; left > 0; limit++)
    for (const { unit, member } of best) {
      if (assigned.has(unit) || (load.get(member) ?? 0) >= limit) continue;
      assigned.set(unit, member);
      load.set(member, (load.get(member) ?? 0) + 1);
      left--;
    }
}

function rankOf(unit: string, member: string): number {
  return createHash("sha1").update(`${unit}\n${member}`).digest().readUInt32BE(0);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
