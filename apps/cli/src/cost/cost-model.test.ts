import { expect, test } from "vitest";

import { growth, monthlyCost, totalOf } from "./cost-model.ts";

const GB = 1e9;

test("adds up to the reference's lines, where the reference's own sum does not", () => {
  const { before, after } = totalOf(monthlyCost({ tableBytes: GB, scannedBytes: 5 * GB }));
  expect(before).toBeCloseTo(40.37, 10);
  // 17.43 + 0.153 + 0.10 + 0.225 + 13.00 + 1.09; the reference prints 31.96.
  expect(after).toBeCloseTo(31.998, 10);
});

test("cost grows with what is stored and scanned, and not with nothing", () => {
  const years = growth({ tableBytes: GB, scannedBytes: 5 * GB }, 0.3);
  expect(years.map(({ gigabytes }) => gigabytes)).toEqual([3.4, 5, 8, 15, expect.closeTo(24.49, 1) as number, 40]);
  for (const [at, year] of years.entries()) {
    expect(year.before).toBeGreaterThan(year.after);
    if (at > 0) expect(year.before).toBeGreaterThan(years[at - 1]!.before);
  }
  expect(totalOf(monthlyCost({ tableBytes: 0, scannedBytes: 0 })).after).toBeCloseTo(31.95, 10);
});
