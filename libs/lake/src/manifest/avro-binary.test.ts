import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AvroReader, AvroWriter } from "./avro-binary.ts";

const written = (...values: (number | bigint)[]): Buffer => {
  const writer = new AvroWriter();
  for (const value of values) writer.long(value);
  return writer.take();
};

const exact = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

describe("Longs", () => {
  const edges = [6, 7, 13, 14, 27, 28, 31, 32, 48, 49, 52, 53, 55, 56, 62, 63].flatMap((bits) =>
    [-2n, -1n, 0n, 1n].flatMap((by) => [2n ** BigInt(bits) + by, -(2n ** BigInt(bits)) + by]),
  );
  const longs = edges.filter((value) => BigInt.asIntN(64, value) === value);

  it("come back as they were at every width, one after the other and skipped", () => {
    const reader = new AvroReader(written(...longs));
    for (const value of longs) expect(reader.long()).toBe(exact(value));
    expect(reader.remaining).toBe(0);
    for (const value of longs) {
      const skipping = new AvroReader(written(value, 7));
      skipping.skipLong();
      expect(skipping.long()).toBe(7);
    }
  });

  it("come back as they were", () => {
    const any = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 20 }), (values) => {
        // Twice, because the last wide one is kept.
        const reader = new AvroReader(written(...values.flatMap((value) => [value, value])));
        for (const value of values) expect([reader.long(), reader.long()]).toEqual([exact(value), exact(value)]);
      }),
    );
  });

  it.each([1, 4, 5, 8, 9])("of which only %i bytes are there are refused", (bytes) => {
    const cut = written(2n ** 62n).subarray(0, bytes);
    expect(() => new AvroReader(cut).long()).toThrow("the data end early");
    expect(() => new AvroReader(cut).skipLong()).toThrow("the data end early");
  });

  it("of more than ten bytes are refused", () => {
    expect(() => new AvroReader(Buffer.from([...Array<number>(10).fill(0xff), 1])).long()).toThrow(
      "more than ten bytes",
    );
  });
});

describe("Strings", () => {
  it("come back as they were, however often and in whatever company", () => {
    const text = fc.oneof(
      fc.constantFrom("PARQUET", "type1", "", "é", "Ã©", "日本", "😀"),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 40 }), (texts) => {
        const writer = new AvroWriter();
        for (const one of [...texts, ...texts]) writer.string(one);
        const reader = new AvroReader(writer.take());
        for (const one of [...texts, ...texts]) expect(reader.string()).toBe(one);
      }),
    );
  });
});

describe("Pairs", () => {
  const pair = fc.tuple(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 300 }));

  it.each(["long", "bytes"] as const)("of an integer and %s are skipped, in blocks of either kind", (value) => {
    fc.assert(
      fc.property(fc.array(fc.array(pair, { minLength: 1, maxLength: 5 }), { maxLength: 3 }), (blocks) => {
        const writer = new AvroWriter();
        for (const [n, pairs] of blocks.entries()) {
          writer.long(n % 2 === 0 ? pairs.length : -pairs.length);
          if (n % 2 === 1) writer.long(1_000_000);
          for (const [key, size] of pairs) {
            writer.long(key);
            if (value === "long") writer.long(size * 2 ** 40);
            else writer.bytes(Buffer.alloc(size, 0xff));
          }
        }
        writer.long(0);
        writer.long(7);
        const bytes = writer.take();
        const reader = new AvroReader(bytes);
        reader.skipPairs(value);
        expect(reader.count()).toBe(7);
        for (let cut = 0; cut < Math.min(bytes.length - 1, 40); cut++)
          expect(() => new AvroReader(bytes.subarray(0, cut)).skipPairs(value)).toThrow("the data end early");
      }),
    );
  });
});
