import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PrimitiveType } from "../metadata/schema.ts";
import type { Literal } from "../scan/predicate.ts";
import { compareLiterals } from "./compare-literals.ts";
import { decimalBytes } from "./primitive-type.ts";
import { decodeSingleValue, encodeSingleValue, lowerBoundOf, upperBoundOf } from "./single-value.ts";

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString("hex");
const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString("utf8");

describe("single-value serialisation", () => {
  it.each<[PrimitiveType, Literal, string]>([
    ["boolean", true, "01"],
    ["boolean", false, "00"],
    ["int", -2, "feffffff"],
    ["date", 17486, "4e440000"],
    ["long", 1, "0100000000000000"],
    ["long", 2n ** 62n, "0000000000000040"],
    ["timestamptz", -1, "ffffffffffffffff"],
    ["float", 1.5, "0000c03f"],
    ["double", -2.25, "00000000000002c0"],
    ["string", "zürich", "7ac3bc72696368"],
    ["uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7", "f79c3e09677c4bbda4793f349cb785e7"],
    ["decimal(9,2)", 1420n, "058c"],
    ["decimal(9,2)", -1n, "ff"],
    ["decimal(9,2)", 128n, "0080"],
    ["decimal(9,2)", 0n, "00"],
    ["fixed[2]", Uint8Array.of(1, 255), "01ff"],
    ["binary", Uint8Array.of(9), "09"],
  ])("%s %s", (type, value, bytes) => {
    expect(hex(encodeSingleValue(type, value))).toBe(bytes);
    expect(decodeSingleValue(type, Buffer.from(bytes, "hex"))).toEqual(
      value instanceof Uint8Array ? Buffer.from(value) : value,
    );
  });

  it("reads bounds of columns that were promoted", () => {
    expect(decodeSingleValue("long", encodeSingleValue("int", -7))).toBe(-7);
    expect(decodeSingleValue("double", encodeSingleValue("float", 1.5))).toBe(1.5);
  });

  it("says corrupt for a bound of the wrong length", () => {
    expect(() => decodeSingleValue("long", Uint8Array.of(1))).toThrowError(/bound has 1 bytes/);
  });
});

describe("bounds that are cut", () => {
  it("keeps short strings", () => {
    expect(text(lowerBoundOf("string", "0123456789abcdef"))).toBe("0123456789abcdef");
    expect(text(upperBoundOf("string", "0123456789abcdef"))).toBe("0123456789abcdef");
  });

  it.each([
    ["0123456789abcdefg", "0123456789abcdef", "0123456789abcdeg"],
    [`${"a".repeat(15)}\u{10ffff}x`, `${"a".repeat(15)}\u{10ffff}`, `${"a".repeat(14)}b`],
    ["\u{10ffff}".repeat(17), "\u{10ffff}".repeat(16), undefined],
    [`${"a".repeat(15)}\ud7ffx`, `${"a".repeat(15)}\ud7ff`, `${"a".repeat(15)}\ue000`],
    [`${"😀".repeat(16)}x`, "😀".repeat(16), `${"😀".repeat(15)}😁`],
  ])("cuts %j", (value, lower, upper) => {
    expect(text(lowerBoundOf("string", value))).toBe(lower);
    expect(text(upperBoundOf("string", value))).toBe(upper);
  });

  it("cuts bytes", () => {
    expect(hex(lowerBoundOf("binary", new Uint8Array(20)))).toBe("00".repeat(16));
    expect(hex(upperBoundOf("binary", new Uint8Array(20)))).toBe("00".repeat(15) + "01");
    expect(hex(upperBoundOf("binary", new Uint8Array(20).fill(255).fill(7, 0, 1)))).toBe("08");
    expect(upperBoundOf("binary", new Uint8Array(20).fill(255))).toBeUndefined();
  });

  it("are never on the wrong side of the value", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (value) => {
        const lower = decodeSingleValue("string", lowerBoundOf("string", value));
        const upper = upperBoundOf("string", value);
        expect(compareLiterals(lower, value)).toBeLessThanOrEqual(0);
        if (upper !== undefined) {
          expect(compareLiterals(decodeSingleValue("string", upper), value)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

it("knows the bytes of a decimal", () => {
  expect([1, 2, 4, 9, 18, 38].map(decimalBytes)).toEqual([1, 1, 2, 4, 8, 16]);
});
