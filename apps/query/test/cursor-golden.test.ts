import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeCursor, decodeOffsetCursor, encodeCursor, encodeOffsetCursor } from "../src/questions/cursor.ts";

const golden = JSON.parse(readFileSync(join(import.meta.dirname, "golden", "cursors.json"), "utf8")) as Record<
  "page.v1" | "offset.v2",
  string
>;

test("cursors that callers got from earlier releases are good, and the same ones are given", () => {
  const page = { snapshotId: 9007199254740993n, key: ["anna", 1767225600000000n] };
  expect(decodeCursor(golden["page.v1"], "fp")).toEqual(page);
  expect(encodeCursor(page, "fp")).toBe(golden["page.v1"]);
  const offset = { offset: 200, snapshots: new Map([["market_db.us_stocks_price", 9007199254740993n]]) };
  expect(decodeOffsetCursor(golden["offset.v2"], "fp")).toEqual(offset);
  expect(encodeOffsetCursor(offset, "fp")).toBe(golden["offset.v2"]);
});

test("a cursor of another kind or of a newer release is none", () => {
  const parts = JSON.parse(Buffer.from(golden["page.v1"], "base64url").toString()) as unknown[];
  const newer = Buffer.from(JSON.stringify([3, ...parts.slice(1)])).toString("base64url");
  expect(decodeCursor(newer, "fp")).toBeUndefined();
  expect(decodeOffsetCursor(newer, "fp")).toBeUndefined();
  expect(decodeOffsetCursor(golden["page.v1"], "fp")).toBeUndefined();
});
