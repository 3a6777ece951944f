import type { Dataset, PayloadInput } from "@firn/core";
import avsc from "avsc";
import { describe, expect, it } from "vitest";

import { createDatasets } from "../src/registry.ts";

const origin = { kind: "kafka", topic: "t", partition: 0, offset: 1 } as const;
const place = { receivedAtUs: 5, origin, subject: "intake.x.0", shard: 0, sequence: 1 } as const;

const health = {
  deviceId: "phone",
  userId: "anna",
  deleted: ["gone"],
  samples: [
    {
      id: "s-1",
      type: "heartRate",
      value: 72,
      unit: "bpm",
      startDate: "2026-01-02T08:00:00+01:00",
      endDate: "2026-01-02T08:00:00+01:00",
      timezone: "Europe/Berlin",
      metadata: { HKTimeZone: "Europe/Paris" },
    },
  ],
};
const sale = { transaction_id: "t-1", transaction_date: "2026-01-02", product_id: 7, unit_price: 2.5 };
const sales = {
  source: "till",
  transactions: [
    { ...sale, quantity: 2, amount: 5, currency: "EUR" },
    { ...sale, transaction_id: "t-2", quantity: -1, amount: -2.5, store: "north" },
    { ...sale, transaction_id: "t-3", quantity: 0, amount: 0 },
  ],
};

/** What a run makes of one payload; ids and bytes of dead letters are those of the encoding. */
function validated(dataset: Dataset, payload: Pick<PayloadInput, "bytes" | "encoding" | "writerSchema">) {
  const run = dataset.beginRun({ strict: true, defaultZone: "UTC" }, 9);
  run.add({ ...payload, ...place });
  const { rows, rejected, received } = run.finish();
  return { rows, received, rejected: rejected.map(({ error_type, error_message }) => [error_type, error_message]) };
}

describe.each([
  ["health", health, { rows: 2, rejected: 0 }],
  ["sales", sales, { rows: 2, rejected: 1 }],
])("the Avro schema of %s", (name, payload, expected) => {
  const dataset = createDatasets().get(name)!;
  const schema = dataset.payload.avro as unknown as avsc.Schema;
  const type = avsc.Type.forSchema(schema, { wrapUnions: false });
  const body = type.toBuffer(type.clone(payload, { skipMissingFields: true }));
  const avro = {
    bytes: Buffer.concat([Buffer.of(0, 0, 0, 0, 1), body]),
    encoding: "avro",
    writerSchema: JSON.stringify(schema),
  } as const;

  it("carries what the JSON does", () => {
    const fromJson = validated(dataset, { bytes: Buffer.from(JSON.stringify(payload)), encoding: "json" });
    expect(fromJson).toMatchObject({ rows: { rows: expected.rows }, rejected: { length: expected.rejected } });
    expect(validated(dataset, avro)).toEqual(fromJson);
  });
});
