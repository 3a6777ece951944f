import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonBytes } from "./json-bytes.ts";

function written(value: unknown): string {
  const json = new JsonBytes(0);
  if (Array.isArray(value)) json.array(value);
  else json.value(value);
  return Buffer.from(json.finish()).toString("utf8");
}

const odd = ["", "plain", 'a"b', "a\\b", "\u0000\u001f\u007f\u0080", "ä€😀", "\ud800", "\u2028", "x".repeat(5_000)];
const numbers = [0, -0, 7, -7, 10, 99_999_999, 100_000_000, 1e15, 1_790_000_000_123_456, Number.MAX_SAFE_INTEGER];
const others = [Number.MIN_SAFE_INTEGER, 2 ** 53, 1e21, 0.1, -1.5e-9, 5e-324, NaN, Infinity];
const maps = [{}, { HKTimeZone: "Europe/Berlin", n: "0" }, { 'k"': "ö" }, JSON.parse('{"__proto__":"x","1":"y"}')];

describe("JSON as bytes", () => {
  it.each([...odd, ...numbers, ...others, ...maps, true, false, null])(
    "of %j is what JSON.stringify gives",
    (value) => {
      expect(written(value)).toBe(JSON.stringify(value));
    },
  );

  it("of arrays is what JSON.stringify gives, repeated values too", () => {
    for (const list of [[], odd, numbers, others, maps, ["a", "a", "ä", "ä", "a"], [0, -0, 0], [null, null, 1, 1]])
      expect(written(list)).toBe(JSON.stringify(list));
  });

  it("of any values is what JSON.stringify gives", () => {
    const text = fc.string({ unit: "binary" });
    const value = fc.oneof(
      text,
      fc.double(),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.dictionary(text, text),
    );
    fc.assert(fc.property(fc.array(value), (list) => written(list) === JSON.stringify(list)));
  });
});
