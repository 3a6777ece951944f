import { describe, expect, it } from "vitest";

import { fnv1a32, shardOf } from "./shard.ts";

describe("the shard of a key", () => {
  // Vectors of http://www.isthe.com/chongo/src/fnv/test_fnv.c
  it.each([
    ["", 0x811c9dc5],
    ["a", 0xe40c292c],
    ["foobar", 0xbf9cf968],
  ])("hashes %j as FNV-1a does", (text, expected) => {
    expect(fnv1a32(text)).toBe(expected);
  });

  it("hashes the UTF-8 bytes", () => {
    const bytes = Buffer.from("사용자-é", "utf8");
    let hash = 0x811c9dc5;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    expect(fnv1a32("사용자-é")).toBe(hash >>> 0);
  });

  it("stays within the shards and refuses a number that is none", () => {
    for (let i = 0; i < 100; i++) expect(shardOf(`user-${i}`, 4)).toBe(fnv1a32(`user-${i}`) % 4);
    expect(() => shardOf("x", 0)).toThrow(RangeError);
  });
});
