import { describe, expect, it } from "vitest";
import type { DataFile } from "./data-file.ts";
import { decodeDataFiles, encodeDataFiles } from "./data-file-json.ts";

const file: DataFile = {
  content: 0,
  filePath: "file:///w/t/data/a.parquet",
  fileFormat: "PARQUET",
  specId: 2,
  partition: { user_bucket: 3, month: "2026-01", none: null, flag: true },
  recordCount: 5,
  fileSizeBytes: 700,
  columnSizes: new Map([[1, 40]]),
  valueCounts: new Map([[1, 5]]),
  nullValueCounts: new Map([[1, 0]]),
  nanValueCounts: new Map(),
  lowerBounds: new Map([[1, Buffer.from([0, 255])]]),
  upperBounds: new Map([[1, Buffer.from([])]]),
  sortOrderId: 1,
};

describe("data files as JSON", () => {
  it("come back as they were", () => {
    const { columnSizes: _, sortOrderId: __, ...bare } = file;
    expect(decodeDataFiles(encodeDataFiles([file, bare]))).toEqual([file, bare]);
  });

  it.each([
    ["a bigint beyond 2^53", 2n ** 80n],
    ["bytes", Buffer.from([1, 0, 254])],
    ["not a number", NaN],
    ["the smallest", -Infinity],
    ["odd text", '"\u0000\u2028{'],
  ])("keep a partition value that is %s", (_, value) => {
    const partition = { p: value };
    expect(decodeDataFiles(encodeDataFiles([{ ...file, partition }]))[0]?.partition).toEqual(partition);
  });

  it.each(["null", "{}", '{"v":0,"files":[]}', '{"v":1,"files":[{"partition":{}}]}', "x"])("refuse %s", (text) => {
    expect(() => decodeDataFiles(Buffer.from(text))).toThrow(SyntaxError);
  });
});
