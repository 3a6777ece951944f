import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { murmur3x64 } from "./murmur3-128.ts";
import { ThetaSketch } from "./theta-sketch.ts";

const MASK = 0xffff_ffff_ffff_ffffn;
const hex = (hash: { high: number; low: number }): string =>
  ((BigInt(hash.high) << 32n) | BigInt(hash.low)).toString(16).padStart(16, "0");

/** The algorithm as it is written down, with whole 64-bit numbers. */
function plainMurmur(bytes: Uint8Array, seed: number): string {
  const rotl = (x: bigint, r: bigint): bigint => ((x << r) | (x >> (64n - r))) & MASK;
  const mix = (x: bigint): bigint => {
    let k = x ^ (x >> 33n);
    k = (k * 0xff51afd7ed558ccdn) & MASK;
    k ^= k >> 33n;
    k = (k * 0xc4ceb9fe1a85ec53n) & MASK;
    return k ^ (k >> 33n);
  };
  const [c1, c2] = [0x87c37b91114253d5n, 0x4cf5ad432745937fn];
  const word = (at: number): bigint => {
    let value = 0n;
    for (let n = 7; n >= 0; n--) value = (value << 8n) | BigInt(bytes[at + n] ?? 0);
    return value;
  };
  const first = (k: bigint): bigint => (rotl((k * c1) & MASK, 31n) * c2) & MASK;
  const second = (k: bigint): bigint => (rotl((k * c2) & MASK, 33n) * c1) & MASK;
  let [h1, h2] = [BigInt(seed), BigInt(seed)];
  const whole = bytes.length - (bytes.length % 16);
  for (let at = 0; at < whole; at += 16) {
    h1 = (((rotl(h1 ^ first(word(at)), 27n) + h2) & MASK) * 5n + 0x52dce729n) & MASK;
    h2 = (((rotl(h2 ^ second(word(at + 8)), 31n) + h1) & MASK) * 5n + 0x38495ab5n) & MASK;
  }
  h2 ^= second(word(whole + 8));
  h1 ^= first(word(whole));
  h1 ^= BigInt(bytes.length);
  h2 ^= BigInt(bytes.length);
  h1 = (h1 + h2) & MASK;
  h2 = (h2 + h1) & MASK;
  return ((mix(h1) + mix(h2)) & MASK).toString(16).padStart(16, "0");
}

describe("murmur3 of 128 bits", () => {
  it("has the known value of a known text", () => {
    const text = Buffer.from("The quick brown fox jumps over the lazy dog");
    expect(hex(murmur3x64(text, 0))).toBe("e34bbc7bbc071b6c");
    expect(hex(murmur3x64(Buffer.alloc(0), 0))).toBe("0000000000000000");
  });
  it("equals the algorithm in whole numbers", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(), (bytes, seed) => {
        expect(hex(murmur3x64(bytes, seed))).toBe(plainMurmur(bytes, seed));
      }),
    );
  });
});

function sketchOf(count: number, from = 0): ThetaSketch {
  const sketch = new ThetaSketch();
  for (let n = from; n < from + count; n++) sketch.update(Buffer.from(`value ${n}`));
  return sketch;
}

describe("a theta sketch", () => {
  it("counts exactly while there are few, each value once", () => {
    for (const count of [0, 1, 2, 100, 4096]) expect(sketchOf(count).estimate()).toBe(count);
    const twice = sketchOf(1000);
    for (let n = 0; n < 3000; n++) twice.update(Buffer.from(`value ${n % 1000}`));
    expect(twice.estimate()).toBe(1000);
  });
  it("is within a few per cent of many", () => {
    for (const count of [10_000, 200_000]) {
      const estimate = sketchOf(count).estimate();
      expect(Math.abs(estimate / count - 1)).toBeLessThan(0.05);
    }
  });
  it("has the layout of the library's compact form", () => {
    expect(Buffer.from(sketchOf(0).serialise()).toString("hex")).toBe("0103030000" + "1e" + "cc93");
    const single = Buffer.from(sketchOf(1).serialise());
    expect([single.length, single[0], single[5]]).toEqual([16, 1, 0x3a]);
    const exact = Buffer.from(sketchOf(50).serialise());
    expect([exact.length, exact[0], exact[5], exact.readUInt32LE(8), exact.readFloatLE(12)]).toEqual([
      416, 2, 0x1a, 50, 1,
    ]);
    const many = Buffer.from(sketchOf(50_000).serialise());
    expect([many.length, many[0], many.readUInt32LE(8)]).toEqual([8 * (3 + 4096), 3, 4096]);
    const hashes = Array.from({ length: 4096 }, (_, n) => many.readBigUInt64LE(24 + 8 * n));
    expect(hashes).toEqual(hashes.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(many.readBigUInt64LE(16)).toBeGreaterThan(hashes.at(-1)!);
  });
});
