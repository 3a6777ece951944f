import { expect, it } from "vitest";
import { universeOf } from "./backtest-rows.ts";

it("a universe is its securities, in whatever order, and no others", () => {
  expect(universeOf([10, 9, 2])).toBe(universeOf([2, 9, 10]));
  expect(new Set([[2, 9], [2, 9, 10], [29], [2, 910]].map(universeOf)).size).toBe(4);
  expect(universeOf([1])).toMatch(/^[0-9a-f]{16}$/);
});
