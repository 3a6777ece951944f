import avsc from "avsc";
import { describe, expect, it } from "vitest";

import { PayloadDecoder } from "../payload-decoder.ts";
import { shardOf } from "../shard.ts";
import { AvroError } from "./avro-error.ts";
import { AvroPayloadReader } from "./avro-payload.ts";
import { wireSchemaId } from "./wire-format.ts";

const SCHEMA = {
  type: "record",
  name: "Payload",
  namespace: "example",
  fields: [
    { name: "userId", type: "string" },
    { name: "timestamp", type: ["null", { type: "long", logicalType: "timestamp-millis" }] },
    {
      name: "samples",
      type: [
        "null",
        {
          type: "array",
          items: {
            type: "record",
            name: "Sample",
            fields: [
              { name: "id", type: "string" },
              { name: "type", type: { type: "enum", name: "Kind", symbols: ["heartRate", "stepCount"] } },
              { name: "value", type: ["null", "double", "float", "int"] },
              { name: "startDate", type: ["string", { type: "long", logicalType: "timestamp-micros" }] },
              { name: "metadata", type: ["null", { type: "map", values: "string" }] },
              { name: "isSynced", type: "boolean" },
              { name: "raw", type: ["null", "bytes", { type: "fixed", name: "Two", size: 2 }] },
              { name: "inner", type: ["null", "Sample"] },
              { name: "kind", type: ["null", "Kind"] },
            ],
          },
        },
      ],
    },
  ],
} as const;

/** avsc is another implementation: what it writes has to be read as what it was given. */
const writer = avsc.Type.forSchema(SCHEMA as unknown as avsc.Schema, { wrapUnions: true });
const reader = new AvroPayloadReader(JSON.stringify(SCHEMA));

const sample = (id: string, more: object = {}) => ({
  id,
  type: "heartRate",
  value: { double: 72.5 },
  startDate: { string: "2026-11-20T10:00:00Z" },
  metadata: { map: { zone: "Europe/Berlin", ключ: "значение" } },
  isSynced: true,
  raw: null,
  inner: null,
  kind: null,
  ...more,
});
const payload = (...samples: object[]) =>
  writer.toBuffer({ userId: "ü", timestamp: { long: 1_763_632_800_123 }, samples: { array: samples } });
const read = (bytes: Uint8Array) => reader.read(bytes, 0) as { samples: Record<string, unknown>[] };

describe("an Avro payload", () => {
  it("is read into the form that a JSON payload has", () => {
    const second = sample("s2", {
      value: { int: -3 },
      startDate: { long: 1_763_632_800_123_456 },
      metadata: null,
      raw: { bytes: Buffer.from("ab") },
      inner: { "example.Sample": sample("s3", { value: { float: 0.5 } }) },
      kind: { "example.Kind": "stepCount" },
    });
    const first = {
      id: "s1",
      type: "heartRate",
      value: 72.5,
      startDate: "2026-11-20T10:00:00Z",
      metadata: { zone: "Europe/Berlin", ключ: "значение" },
      isSynced: true,
    };
    expect(read(payload(sample("s1"), second))).toEqual({
      userId: "ü",
      timestamp: "2025-11-20T10:00:00.123Z",
      samples: [
        first,
        {
          id: "s2",
          type: "heartRate",
          value: -3,
          startDate: "2025-11-20T10:00:00.123456Z",
          isSynced: true,
          raw: "YWI=",
          inner: { ...first, id: "s3", value: 0.5 },
          kind: "stepCount",
        },
      ],
    });
  });

  it("tells where each item of an array lies", () => {
    const bytes = payload(sample("s1"), sample("longer", { metadata: null }), sample("s3"));
    const items = avsc.Type.forSchema((SCHEMA.fields[2].type[1] as { items: unknown }).items as avsc.Schema, {
      wrapUnions: true,
    });
    const ids = reader.arrayLayout(bytes, 0, "samples")!.items.map(({ start, end }) => {
      return (items.fromBuffer(bytes.subarray(start, end)) as { id: string }).id;
    });
    expect(ids).toEqual(["s1", "longer", "s3"]);
    expect(reader.arrayLayout(bytes, 0, "userId")).toBeUndefined();
    expect(reader.arrayLayout(bytes, 0, "deleted")).toBeUndefined();
  });

  it("may be of a schema that names others, which it brings along", () => {
    const [user, time, samples] = SCHEMA.fields;
    const { items } = samples.type[1];
    const naming = {
      ...SCHEMA,
      fields: [user, time, { name: "samples", type: ["null", { type: "array", items: "Sample" }] }],
    };
    const definitions = [{ ...items, namespace: "example" }];
    const text = JSON.stringify({ type: naming, "firn.definitions": definitions });
    const bytes = payload(sample("s1"));
    expect(new AvroPayloadReader(text).read(bytes, 0)).toEqual(read(bytes));
    expect(() => new AvroPayloadReader(JSON.stringify(naming))).toThrow("type Sample is not defined");
  });

  it.each([0, 1, -1, 63, -64, 64, 8191, 2 ** 31, -(2 ** 31) - 1, 2 ** 41, 2 ** 48 + 1, 2 ** 52 + 1, -(2 ** 51) - 1])(
    "has the long %d",
    (value) => {
      const bytes = avsc.Type.forSchema("long").toBuffer(value);
      expect(new AvroPayloadReader('"long"').read(bytes, 0)).toBe(value);
    },
  );

  it("is refused wherever it is cut off, and with anything behind it", () => {
    const bytes = payload(sample("s1"), sample("s2"));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => read(bytes.subarray(0, length)), `${length} bytes`).toThrow(AvroError);
    }
    expect(() => read(Buffer.concat([bytes, Buffer.of(0)]))).toThrow("1 bytes follow the body");
  });

  it("is read or refused, whatever byte is damaged", () => {
    const bytes = payload(sample("s1"));
    for (let at = 0; at < bytes.length; at++) {
      for (const damage of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
        const damaged = Buffer.from(bytes);
        damaged[at] = damage;
        try {
          read(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(AvroError);
        }
      }
    }
  });

  it.each([
    ["a count that no body can hold", '{"type":"array","items":"null"}', avsc.Type.forSchema("long").toBuffer(2 ** 50)],
    ["text that is not UTF-8", '"string"', Buffer.of(4, 0xc3, 0x28)],
    ["an index that no branch has", '["null","int"]', Buffer.of(4)],
    ["a number without end", '"long"', Buffer.alloc(11, 0xff)],
    ["nesting without end", '{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}', Buffer.alloc(9)],
  ])("with %s is refused at once", (_, schema, bytes) => {
    expect(() => new AvroPayloadReader(schema).read(bytes, 0)).toThrow(AvroError);
  });

  it.each([
    ["not a schema", "{"],
    ["a type that is not defined", '{"type":"array","items":"Other"}'],
    ["a record without fields", '{"type":"record","name":"R"}'],
    ["types nested without end", `${'{"type":"array","items":'.repeat(500)}"int"${"}".repeat(500)}`],
  ])("of %s is a schema error", (_, schema) => {
    expect(() => new AvroPayloadReader(schema)).toThrow(AvroError);
  });
});

describe("the wire format", () => {
  it("names the schema", () => {
    expect(wireSchemaId(Buffer.of(0, 0, 1, 0, 2))).toBe(65_538);
    expect(wireSchemaId(Buffer.of(0, 0, 1, 0))).toBeUndefined();
    expect(wireSchemaId(Buffer.of(1, 0, 1, 0, 2))).toBeUndefined();
  });
});

describe("an Avro payload of records of several shards", () => {
  const schema = {
    type: "record",
    name: "Sales",
    fields: [
      { name: "source", type: "string" },
      { name: "transactions", type: ["null", { type: "array", items: "string" }] },
      { name: "after", type: "int" },
    ],
  };
  const sales = avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: false });
  const wire = (transactions: readonly string[]) => {
    return Buffer.concat([Buffer.of(0, 0, 0, 0, 1), sales.toBuffer({ source: "till", transactions, after: 7 })]);
  };
  const decoder = new PayloadDecoder();
  const cut = (keys: readonly string[]) => {
    const payload = { bytes: wire(keys), encoding: "avro", writerSchema: JSON.stringify(schema) } as const;
    const byRecord = { member: "transactions", keys };
    return decoder.parts(payload, { ok: true, shardKey: keys[0] ?? "", records: keys.length, byRecord }, 4);
  };

  it("is cut into payloads of the same schema, each with its own records", () => {
    const keys = Array.from({ length: 200 }, (_, i) => `t${i}`);
    const parts = cut(keys);
    expect(parts.map(({ shard }) => shard).sort()).toEqual([0, 1, 2, 3]);
    for (const { bytes, shard } of parts) {
      const own = keys.filter((key) => shardOf(key, 4) === shard);
      expect(Buffer.from(bytes)).toEqual(Buffer.from(wire(own)));
    }
  });

  it("stays whole where they are of one, or where there is none", () => {
    expect(cut(["a", "a"])).toEqual([{ shard: shardOf("a", 4), bytes: wire(["a", "a"]) }]);
    expect(cut([])).toEqual([{ shard: shardOf("", 4), bytes: wire([]) }]);
  });
});
