import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LakeError } from "../lake-error.ts";
import { parseLakeJson, stringifyLakeJson } from "./json.ts";

const BIG = 9_223_372_036_854_775_807n;

describe("parseLakeJson", () => {
  it("keeps 64-bit ids whole and makes every id a bigint", () => {
    const text = `{"snapshot-id": ${BIG}, "parent-snapshot-id":7 , "current-snapshot-id":-9223372036854775808}`;
    expect(parseLakeJson(text)).toEqual({
      "snapshot-id": BIG,
      "parent-snapshot-id": 7n,
      "current-snapshot-id": -9_223_372_036_854_775_808n,
    });
  });

  it("keeps ids in lists, log entries and requests whole", () => {
    const text = `{"snapshot-ids":[1,${BIG}],"snapshot-log":[{"timestamp-ms":1700000000000,"snapshot-id":${BIG}}]}`;
    expect(parseLakeJson(text)).toEqual({
      "snapshot-ids": [1n, BIG],
      "snapshot-log": [{ "timestamp-ms": 1_700_000_000_000, "snapshot-id": BIG }],
    });
  });

  it("keeps other long integers whole, and leaves short ones and fractions numbers", () => {
    const text = `{"initial-default":${BIG},"a":[1.1234567890123456789,12,9007199254740993],"b":1e3}`;
    expect(parseLakeJson(text)).toEqual({
      "initial-default": BIG,
      a: [1.1234567890123457, 12, 9_007_199_254_740_993n],
      b: 1000,
    });
  });

  it("changes nothing inside strings, however they look", () => {
    const hostile = [
      `"snapshot-id": 9223372036854775807,`,
      `,9223372036854775807]`,
      `\\"snapshot-id\\":9223372036854775807}`,
      `: 1234567890123456789 ,`,
      `\\`,
      `"`,
      "~n:1",
    ];
    const value = { summary: Object.fromEntries(hostile.map((text) => [text, text])), "snapshot-id": BIG };
    expect(parseLakeJson(stringifyLakeJson(value))).toEqual(value);
  });

  it("says what is wrong with text that is not JSON", () => {
    for (const text of [
      "",
      "{",
      `{"snapshot-id":}`,
      `{"snapshot-id":01}`,
      `{"a":1}}`,
      "\u0000",
      `{"snapshot-id":12345678901234567.}`,
    ]) {
      expect(() => parseLakeJson(text)).toThrow(LakeError);
    }
    expect(() => parseLakeJson(`{"snapshot-id":9223372036854775808}`)).toThrow("does not fit in 64 bits");
    expect(() => parseLakeJson(`{"snapshot-id":1.5}`)).toThrow("is not a 64-bit integer");
    expect(() => parseLakeJson(`{"snapshot-id":99999999999999999999999}`)).toThrow("64");
  });

  it("refuses documents that nest too deep instead of overflowing", () => {
    expect(() => parseLakeJson("[".repeat(1000) + "]".repeat(1000))).toThrow("nested deeper");
    expect(() => parseLakeJson(`{"a":`.repeat(100_000))).toThrow(LakeError);
  });

  it("reads back whatever it wrote", () => {
    const document = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.string({ unit: "binary" }),
        fc.boolean(),
        fc.constant(null),
        fc.bigInt({ min: 2n ** 60n, max: BIG }),
        fc.integer(),
        fc.array(tie("value")),
        fc.dictionary(fc.constantFrom("snapshot-id ", "a", "summary", `"snapshot-id":1`, "x\\"), tie("value"), {
          noNullPrototype: true,
        }),
      ),
    })).value;
    fc.assert(
      fc.property(document, (value) => {
        expect(parseLakeJson(stringifyLakeJson(value))).toEqual(value);
      }),
      { numRuns: 200 },
    );
  });
});
