import type { TableMetadata } from "@firn/lake";
import { expect, it } from "vitest";
import { areAggregatesCurrent } from "./aggregates-current.ts";

/** Rows were added by 1 and 2; 3 only merged files. */
const metadata = {
  "current-snapshot-id": 3n,
  snapshots: [
    { "snapshot-id": 1n, summary: { operation: "append", "added-records": "5" } },
    { "snapshot-id": 2n, "parent-snapshot-id": 1n, summary: { operation: "append", "added-records": "5" } },
    { "snapshot-id": 3n, "parent-snapshot-id": 2n, summary: { operation: "replace" } },
  ],
} as unknown as TableMetadata;

it.each([
  [[3n, 3n], true],
  [[2n, 3n], true],
  [[1n, 3n], false],
  [[3n, undefined], false],
  [[undefined], false],
  [[], true],
])("rows are taken up by what was made from snapshots %s: %s", (builtOn, expected) => {
  expect(areAggregatesCurrent(metadata, builtOn)).toBe(expected);
});
