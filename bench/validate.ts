/**
 * What one core does of the validator's work: payloads of 100 health samples decoded, validated, turned into a column
 * batch and encoded. Prints microseconds of CPU per sample beside JSON.parse alone on the same bytes in the same run.
 *
 *   node tools/run-ts.mjs bench/validate.ts
 */
import { cpus } from "node:os";

import { encodeColumnBatch, encodeRejectedBatch, type PayloadInput } from "@firn/core";
import { datasets } from "@firn/datasets";

const PAYLOADS = 400;
const PAYLOADS_PER_RUN = 100;
const SAMPLES = 100;
const ROUNDS = 8;
const BAD_SHARE = 0.01;
const TYPES = [
  ["heartRate", "count/min", 72],
  ["stepCount", "count", 410],
  ["distanceWalkingRunning", "m", 320.5],
  ["activeEnergyBurned", "kcal", 12.25],
  ["bodyMass", "lb", 160.4],
  ["oxygenSaturation", "%", 97],
] as const;
const ZONES = ["Asia/Seoul", "America/New_York", "Europe/Berlin", "Asia/Kolkata"];

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function makePayloads(escapeSlashes: boolean): Buffer[] {
  const random = randomNumbers(7);
  return Array.from({ length: PAYLOADS }, (_, p) => {
    const zone = ZONES[p % ZONES.length]!;
    const samples = Array.from({ length: SAMPLES }, (_, s) => {
      const [type, unit, value] = TYPES[s % TYPES.length]!;
      const startMs = Date.UTC(2026, 5, 1) + Math.floor(random() * 60 * 86_400) * 1000;
      return {
        id: `${p.toString(16).padStart(8, "0")}-${s.toString(16).padStart(4, "0")}-4abc-8def-0123456789ab`,
        type,
        value: random() < BAD_SHARE ? -1 : value,
        unit,
        startDate: new Date(startMs).toISOString(),
        endDate: new Date(startMs + 60_000).toISOString(),
        sourceBundle: "com.apple.health.ABCDEF01",
        metadata: { HKTimeZone: zone, device: "Watch6,2" },
        isSynced: true,
        createdAt: new Date(startMs + 90_000).toISOString(),
        timezone: zone,
        timezoneOffset: 540,
      };
    });
    const payload = {
      deviceId: `device-${p % 50}`,
      userId: `user-${p % 50}`,
      timestamp: "2026-08-01T00:00:00Z",
      appVersion: "2.3.1",
      samples,
    };
    const text = JSON.stringify(payload);
    return Buffer.from(escapeSlashes ? text.replaceAll("/", "\\/") : text);
  });
}

function inputOf(bytes: Uint8Array): PayloadInput {
  return {
    bytes,
    encoding: "json",
    receivedAtUs: 1,
    origin: { kind: "http" },
    subject: "intake.health.0",
    shard: 0,
    sequence: 1,
  };
}

function microsecondsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (PAYLOADS * SAMPLES);
}

const health = datasets.get("health")!;
const options = { strict: true, defaultZone: "UTC" };

function validateAll(payloads: readonly Buffer[], encode: boolean): number {
  let bytes = 0;
  for (let from = 0; from < payloads.length; from += PAYLOADS_PER_RUN) {
    const run = health.beginRun(options, 1);
    for (const payload of payloads.slice(from, from + PAYLOADS_PER_RUN)) run.add(inputOf(payload));
    const done = run.finish();
    if (!encode) continue;
    bytes +=
      encodeColumnBatch("health", done.rows).byteLength + encodeRejectedBatch("health", done.rejected).byteLength;
  }
  return bytes;
}

console.log(`${cpus()[0]?.model} × ${cpus().length}, node ${process.version}, µs of CPU per sample, best of ${ROUNDS}`);
for (const [name, payloads] of [
  ["plain", makePayloads(false)],
  ["escaped slashes", makePayloads(true)],
] as const) {
  const bytes = payloads.reduce((sum, payload) => sum + payload.byteLength, 0);
  const best = { parse: Infinity, validate: Infinity, all: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    best.parse = Math.min(
      best.parse,
      microsecondsOf(() => payloads.forEach((p) => JSON.parse(p.toString()) as unknown)),
    );
    best.validate = Math.min(
      best.validate,
      microsecondsOf(() => validateAll(payloads, false)),
    );
    best.all = Math.min(
      best.all,
      microsecondsOf(() => validateAll(payloads, true)),
    );
  }
  const ratio = (best.all / best.parse).toFixed(2);
  console.log(
    `${name}: ${(bytes / PAYLOADS / SAMPLES).toFixed(0)} bytes; JSON.parse ${best.parse.toFixed(2)}; ` +
      `decode + validate ${best.validate.toFixed(2)}; with encoding ${best.all.toFixed(2)} (${ratio} × JSON.parse)`,
  );
}
