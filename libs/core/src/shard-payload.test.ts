import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shardPayload } from "./shard-payload.ts";
import { shardOf } from "./shard.ts";

const SHARDS = 4;
const cut = (text: string, keys: readonly string[]) =>
  shardPayload(
    Buffer.from(text),
    { ok: true, shardKey: "whole", records: keys.length, byRecord: { member: "items", keys } },
    SHARDS,
  ).map(({ bytes, shard }) => ({ shard, text: Buffer.from(bytes).toString() }));

describe("shardPayload", () => {
  it("puts every record into its shard, in order, with its bytes and the payload's other members", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.string(), more: fc.jsonValue() }), { maxLength: 20 }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (records, others) => {
          fc.pre(!("items" in others) && !Object.values(others).includes("HERE"));
          const texts = records.map((record, at) => JSON.stringify(record, null, at % 3));
          const text = JSON.stringify({ ...others, items: "HERE" }).replace(
            '"HERE"',
            () => ` [ ${texts.join(" , ")} ] `,
          );
          const keys = records.map((record) => record.id);
          const parts = cut(text, keys);
          for (const part of parts) {
            const { items, ...rest } = JSON.parse(part.text) as { items: unknown[] };
            expect(rest).toEqual(JSON.parse(JSON.stringify(others)));
            const own = records.length === 0 ? [] : texts.filter((_, at) => shardOf(keys[at]!, SHARDS) === part.shard);
            expect(items).toEqual(own.map((one) => JSON.parse(one) as unknown));
            for (const one of own) expect(part.text).toContain(one);
          }
          expect(new Set(parts.map((part) => part.shard)).size).toBe(parts.length);
        },
      ),
    );
  });

  it("leaves a payload of one shard as it came, and one with a member twice", () => {
    const one = ' {"items": [1, 2] }';
    expect(cut(one, ["a", "a"])).toEqual([{ shard: shardOf("a", SHARDS), text: one }]);
    const double = '{"items":[1,2],"items":[3,4]}';
    expect(cut(double, ["a", "b"])).toEqual([{ shard: shardOf("whole", SHARDS), text: double }]);
  });
});
