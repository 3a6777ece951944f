import { expect, test } from "vitest";
import { assignUnits } from "./assign-units.ts";

const shards = (dataset: string, count: number) => Array.from({ length: count }, (_, shard) => `${dataset}.${shard}`);
const units = [...shards("health", 8), ...shards("sales", 4), "market.0"];
const members = (...names: string[]) => new Map(names.map((name) => [name, units]));

function loads(assigned: ReadonlyMap<string, string>, group: string): number[] {
  const load = new Map<string, number>();
  for (const [unit, member] of assigned)
    if (unit.startsWith(`${group}.`)) load.set(member, (load.get(member) ?? 0) + 1);
  return [...load.values()].sort();
}

test("spreads the units of each group evenly, the same whoever asks", () => {
  expect(new Set(assignUnits(members("a")).values())).toEqual(new Set(["a"]));
  const three = assignUnits(members("a", "b", "c"));
  expect([...three.keys()].sort()).toEqual([...units].sort());
  expect(loads(three, "health")).toEqual([2, 3, 3]);
  expect(loads(three, "sales")).toEqual([1, 1, 2]);
  expect([...assignUnits(members("c", "a", "b"))].sort()).toEqual([...three].sort());
});

test("when a member goes, those that stay keep nearly all of theirs", () => {
  const before = assignUnits(members("a", "b", "c", "d"));
  const after = assignUnits(members("a", "b", "c"));
  const moved = units.filter((unit) => before.get(unit) !== "d" && before.get(unit) !== after.get(unit));
  expect(moved.length).toBeLessThanOrEqual(2);
});

test("a unit goes to those only that take it", () => {
  const takes = new Map([
    ["a", ["health.0", "health.1", "health.2", "health.3"]],
    ["b", ["health.3"]],
  ]);
  const assigned = assignUnits(takes);
  expect(Object.fromEntries(assigned)).toMatchObject({ "health.0": "a", "health.1": "a", "health.2": "a" });
  expect(assignUnits(new Map([["b", ["health.3"]]])).has("health.0")).toBe(false);
  expect(assignUnits(new Map()).size).toBe(0);
});
