import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runsToMerge } from "./run-levels.ts";

const smallest = 65_536;
const levelsOf = (entries: number) => Math.ceil(Math.log(Math.max(4, entries / smallest)) / Math.log(4));

/** Puts runs in one after the other, and merges each time as often as asked for. */
function grow(sizes: readonly number[]) {
  let runs: number[] = [];
  let merged = 0;
  let mostRuns = 0;
  for (const size of sizes) {
    runs.push(size);
    for (let due = runsToMerge(runs, smallest); due > 0; due = runsToMerge(runs, smallest)) {
      const sum = runs.slice(-due).reduce((entries, run) => entries + run, 0);
      merged += sum;
      runs = [...runs.slice(0, -due), sum];
    }
    mostRuns = Math.max(mostRuns, runs.length);
  }
  return { merged, mostRuns, runs };
}

describe("runsToMerge", () => {
  it("merges an entry once a level: a table that is a hundred times larger costs its commits three more merges", () => {
    const perEntry = (commits: number) => grow(new Array<number>(commits).fill(100_000)).merged / (commits * 100_000);
    expect(perEntry(10)).toBeLessThanOrEqual(1);
    expect(perEntry(100)).toBeLessThanOrEqual(3);
    expect(perEntry(1_000)).toBeLessThanOrEqual(5);
  });

  it("does not touch what is large when little comes", () => {
    const { runs } = grow([100_000_000, ...new Array<number>(60).fill(100_000)]);
    expect(runs[0]).toBe(100_000_000);
  });

  it("keeps three runs a level at most, and writes an entry a few times a level, whatever comes", () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 200_000 }),
      fc.integer({ min: 1, max: 2_000_000 }),
      fc.constantFrom(smallest, smallest * 4, smallest * 16 - 1),
    );
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 300 }), (sizes) => {
        const total = sizes.reduce((sum, entries) => sum + entries, 0);
        const { merged, mostRuns } = grow(sizes);
        expect(mostRuns).toBeLessThanOrEqual(3 * (levelsOf(total) + 1));
        expect(merged).toBeLessThanOrEqual(3 * total * (levelsOf(total) + 1));
      }),
    );
  });
});
