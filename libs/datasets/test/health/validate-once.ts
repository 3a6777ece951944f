import { expect } from "vitest";

import { parseInstantUs, type DeadLetter, type ValidatedRun } from "@firn/core";

import { createHealthDataset } from "../../src/health/dataset.ts";

export const health = createHealthDataset();
export const RECEIVED_US = parseInstantUs("2026-03-01T00:00:00Z");
export const PROCESSED_US = RECEIVED_US + 5;

export const SAMPLE = {
  id: "s-1",
  type: "heartRate",
  value: 72,
  unit: "count/min",
  startDate: "2026-02-01T23:30:00+09:00",
  endDate: "2026-02-01T23:31:00+09:00",
};

export const envelope = (samples: unknown, more: object = {}): object => ({
  deviceId: "d",
  userId: "u",
  samples,
  ...more,
});

export function validate(payload: unknown, options: { strict?: boolean; defaultZone?: string } = {}): ValidatedRun {
  const run = health.beginRun({ strict: true, defaultZone: "UTC", ...options }, PROCESSED_US);
  const bytes =
    payload instanceof Uint8Array
      ? payload
      : Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
  const origin = { kind: "http" } as const;
  const subject = "intake.health.2";
  run.add({ bytes, encoding: "json", receivedAtUs: RECEIVED_US, origin, subject, shard: 2, sequence: 77 });
  const done = run.finish();
  expect(done.received).toBe(done.rows.rows + done.rejected.length);
  for (const column of Object.values(done.rows.columns)) expect(column).toHaveLength(done.rows.rows);
  return done;
}

export function rowOf(done: ValidatedRun, index = 0): Record<string, unknown> {
  return Object.fromEntries(Object.entries(done.rows.columns).map(([name, values]) => [name, values[index]]));
}

export function accepted(sample: object, payload: object = {}, options = {}): Record<string, unknown> {
  const done = validate(envelope([{ ...SAMPLE, ...sample }], payload), options);
  expect(done.rejected).toEqual([]);
  return rowOf(done);
}

export function rejected(sample: unknown, payload: object = {}, options = {}): DeadLetter {
  const done = validate(envelope([sample], payload), options);
  expect(done.rows.rows).toBe(0);
  expect(done.rejected).toHaveLength(1);
  return done.rejected[0]!;
}
