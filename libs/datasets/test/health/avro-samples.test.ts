import avsc from "avsc";
import { describe, expect, it } from "vitest";

import { PROCESSED_US, RECEIVED_US, SAMPLE, health, validate } from "./validate-once.ts";

const text = { type: ["null", "string"], default: null };
const SCHEMA = {
  type: "record",
  name: "HealthPayload",
  fields: [
    { name: "userId", ...text },
    { name: "deviceId", ...text },
    {
      name: "samples",
      type: {
        type: "array",
        items: {
          type: "record",
          name: "HealthSample",
          fields: [
            ...["id", "type", "unit", "endDate"].map((name) => ({ name, ...text })),
            { name: "value", type: ["null", "double"], default: null },
            { name: "startDate", type: ["string", { type: "long", logicalType: "timestamp-millis" }] },
          ],
        },
      },
    },
    { name: "deleted", type: ["null", { type: "array", items: "string" }], default: null },
  ],
};
const type = avsc.Type.forSchema(SCHEMA as avsc.Schema, { wrapUnions: false });
const origin = { kind: "kafka", topic: "health-data-raw", partition: 3, offset: 42 } as const;

function validateAvro(payload: object, bytes = Buffer.concat([Buffer.of(0, 0, 0, 0, 7), type.toBuffer(payload)])) {
  const run = health.beginRun({ strict: true, defaultZone: "UTC" }, PROCESSED_US);
  const place = { subject: "intake.health.1", shard: 1, sequence: 5 };
  const writerSchema = JSON.stringify(SCHEMA);
  run.add({ bytes, encoding: "avro", writerSchema, receivedAtUs: RECEIVED_US, origin, ...place });
  return { ...run.finish(), bytes };
}

describe("an Avro payload of health", () => {
  it("gives the rows that the same payload gives as JSON", () => {
    const payload = { userId: "u", deviceId: "d", samples: [SAMPLE], deleted: ["gone"] };
    const done = validateAvro(payload);
    expect(done.rejected).toEqual([]);
    expect(done.rows).toEqual(validate(payload).rows);
    const inMillis = { ...SAMPLE, startDate: Date.parse(SAMPLE.startDate) };
    expect(validateAvro({ ...payload, samples: [inMillis] }).rows).toEqual(done.rows);
  });

  it("has a bad sample refused alone, with its very bytes and its place in Kafka", () => {
    const bad = { ...SAMPLE, id: "bad", value: 500 };
    const done = validateAvro({ userId: "u", deviceId: "d", samples: [SAMPLE, bad] });
    expect(done.rows.rows).toBe(1);
    expect(done.rejected).toEqual([
      expect.objectContaining({
        error_type: "validation_error",
        sample_id: "bad",
        user_id: "u",
        kafka_topic: "health-data-raw",
        kafka_partition: 3,
        kafka_offset: 42,
      }),
    ]);
    const { raw_payload: raw } = done.rejected[0]!;
    const slice = raw!.startsWith("base64:") ? Buffer.from(raw!.slice(7), "base64") : Buffer.from(raw!);
    const item = avsc.Type.forSchema((SCHEMA.fields[2]!.type as unknown as { items: avsc.Schema }).items, {
      wrapUnions: false,
    });
    expect((item.fromBuffer(slice) as { id: string }).id).toBe("bad");
  });

  it("of another kind than is wanted says so of the field", () => {
    const { rejected } = validateAvro({ userId: "u", deviceId: "d", samples: [{ ...SAMPLE, value: null }] });
    expect(rejected[0]!.error_message).toContain("value");
  });

  it.each([
    ["without a user", { deviceId: "d", samples: [SAMPLE] }, "schema_error", "userId is missing"],
    ["cut off", undefined, "deserialization_error", "the body ends early"],
  ])("%s is one dead letter", (_, payload, errorType, message) => {
    const whole = validateAvro({ userId: "u", deviceId: "d", samples: [SAMPLE] }).bytes;
    const done = payload === undefined ? validateAvro({}, whole.subarray(0, -3)) : validateAvro(payload);
    expect(done).toMatchObject({ received: 1, rows: { rows: 0 }, rejected: [{ error_type: errorType }] });
    expect(done.rejected[0]!.error_message).toContain(message);
  });
});
