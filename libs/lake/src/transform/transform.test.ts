import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PartitionValue } from "../manifest/data-file.ts";
import type { PrimitiveType } from "../metadata/schema.ts";
import { murmur3, murmur3Long } from "./murmur3.ts";
import { applyTransform, bucketHash, parseTransform, resultType } from "./transform.ts";

const days = (iso: string): number => Date.parse(`${iso}T00:00:00Z`) / 86_400_000;
const micros = (iso: string): number => Date.parse(iso) * 1000;
const apply = (transform: string, type: PrimitiveType, value: PartitionValue): PartitionValue =>
  applyTransform(parseTransform(transform), type, value);

describe("bucket hash: the vectors of the specification's appendix B", () => {
  it.each<[PrimitiveType, PartitionValue, number]>([
    ["int", 34, 2017239379],
    ["long", 34, 2017239379],
    ["long", 34n, 2017239379],
    ["decimal(9,2)", 1420n, -500754589],
    ["date", days("2017-11-16"), -653330422],
    ["time", ((22 * 60 + 31) * 60 + 8) * 1_000_000, -662762989],
    ["timestamp", micros("2017-11-16T22:31:08Z"), -2047944441],
    ["timestamp", micros("2017-11-16T22:31:08Z") + 1, -1207196810],
    ["timestamptz", micros("2017-11-16T14:31:08-08:00"), -2047944441],
    ["timestamptz", micros("2017-11-16T14:31:08-08:00") + 1, -1207196810],
    ["timestamp_ns", BigInt(micros("2017-11-16T22:31:08Z")) * 1000n, -2047944441],
    ["timestamptz_ns", BigInt(micros("2017-11-16T22:31:08Z")) * 1000n + 1001n, -1207196810],
    ["string", "iceberg", 1210000089],
    ["uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7", 1488055340],
    ["fixed[4]", Uint8Array.of(0, 1, 2, 3), -188683207],
    ["binary", Uint8Array.of(0, 1, 2, 3), -188683207],
  ])("%s %s", (type, value, hash) => expect(bucketHash(type, value!)).toBe(hash));

  it("hashes a 64-bit integer as its eight bytes", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigInt64LE(value);
        const hash = murmur3(bytes);
        expect(murmur3Long(value)).toBe(hash);
        if (Number.isSafeInteger(Number(value))) expect(murmur3Long(Number(value))).toBe(hash);
      }),
    );
  });

  it("keeps the sign out of the bucket", () => {
    expect(apply("bucket[16]", "date", days("2017-11-16"))).toBe((-653330422 & 0x7fffffff) % 16);
    expect(apply("bucket[8]", "string", null)).toBeNull();
    expect(() => apply("bucket[8]", "double", 1)).toThrowError(/does not take double/);
  });
});

describe("truncate", () => {
  it.each<[number, PrimitiveType, PartitionValue, PartitionValue]>([
    [10, "int", 1, 0],
    [10, "int", -1, -10],
    [10, "long", -1n, -10],
    [10, "long", 2n ** 60n + 7n, 1152921504606846980n],
    [50, "decimal(9,2)", 1065n, 1050n],
    [50, "decimal(9,2)", -1n, -50n],
    [3, "string", "iceberg", "ice"],
    [3, "string", "ic", "ic"],
    [2, "string", "😀😃😄", "😀😃"],
    [3, "binary", Uint8Array.of(1, 2, 3, 4), Uint8Array.of(1, 2, 3)],
    [7, "string", "2026-11-02", "2026-11"],
    [7, "string", null, null],
  ])("to %i of %s %s", (width, type, value, result) =>
    expect(apply(`truncate[${width}]`, type, value)).toEqual(result),
  );
});

describe("calendar transforms", () => {
  const moment = "2017-11-16T22:31:08Z";
  it.each<[string, PrimitiveType, PartitionValue, PartitionValue]>([
    ["year", "timestamptz", micros(moment), 47],
    ["month", "timestamptz", micros(moment), 574],
    ["day", "timestamptz", micros(moment), days("2017-11-16")],
    ["hour", "timestamptz", micros(moment), days("2017-11-16") * 24 + 22],
    ["year", "date", days("2017-11-16"), 47],
    ["month", "date", days("2017-11-16"), 574],
    ["day", "date", days("2017-11-16"), days("2017-11-16")],
    ["year", "timestamp", -1, -1],
    ["month", "timestamp", -1, -1],
    ["day", "timestamp", -1, -1],
    ["hour", "timestamp", -1, -1],
    ["day", "timestamp", -1n, -1],
    ["day", "timestamp_ns", 86_400_000_000_000n, 1],
    ["month", "date", days("1969-12-31"), -1],
    ["month", "date", days("1969-01-01"), -12],
    ["year", "date", days("1968-02-29"), -2],
    ["day", "timestamptz", null, null],
    ["void", "string", "x", null],
    ["identity", "string", "x", "x"],
  ])("%s of %s %s", (transform, type, value, result) => expect(apply(transform, type, value)).toEqual(result));

  it("refuses an hour of a date", () => expect(() => apply("hour", "date", 1)).toThrowError(/does not take date/));
});

describe("transform names", () => {
  it("keeps what it does not know, and fails only when it is applied", () => {
    expect(parseTransform("zorder[3]")).toEqual({ kind: "unknown", text: "zorder[3]" });
    expect(parseTransform("bucket[0]")).toEqual({ kind: "unknown", text: "bucket[0]" });
    expect(() => apply("zorder[3]", "int", 1)).toThrowError(/not known/);
  });

  it("says the types of its results", () => {
    expect(resultType(parseTransform("day"), "timestamptz")).toBe("date");
    expect(resultType(parseTransform("month"), "date")).toBe("int");
    expect(resultType(parseTransform("bucket[4]"), "string")).toBe("int");
    expect(resultType(parseTransform("truncate[4]"), "string")).toBe("string");
  });
});
