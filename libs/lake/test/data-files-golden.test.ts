import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { isLakeError } from "../src/index.ts";
import { decodeDataFiles, encodeDataFiles } from "../src/manifest/data-file-json.ts";

const golden = readFileSync(join(import.meta.dirname, "golden", "data-files.v1.json"));

test("lists of data files of version 1 are read, and written with the same bytes", () => {
  const files = decodeDataFiles(golden);
  expect(files[0]?.partition).toEqual({
    user_bucket: 3,
    month: "2026-01",
    none: null,
    flag: true,
    big: 2n ** 80n,
    bytes: Buffer.from([1, 0, 254]),
    nan: NaN,
  });
  expect(Buffer.from(encodeDataFiles(files)).toString()).toBe(golden.toString());
});

test("a list of a newer release is refused by its version", () => {
  const newer = Buffer.from(golden.toString().replace('{"v":1,', '{"v":2,'));
  expect(() => decodeDataFiles(newer)).toThrow(/list of data files of version 2: this release reads version 1/);
  try {
    decodeDataFiles(newer);
  } catch (error) {
    expect(isLakeError(error, "unsupported")).toBe(true);
  }
});
