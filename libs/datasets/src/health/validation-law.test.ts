import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { formatDate, type ValidatedRun } from "@firn/core";

import { createHealthDataset } from "./dataset.ts";

const health = createHealthDataset();

function validate(text: string): ValidatedRun {
  const run = health.beginRun({ strict: true, defaultZone: "America/New_York" }, 1);
  const origin = { kind: "http" } as const;
  run.add({ bytes: Buffer.from(text), encoding: "json", receivedAtUs: 5, origin, subject: "s", shard: 0, sequence: 1 });
  return run.finish();
}

const pick = fc.constantFrom;
const ms = fc.integer({ min: Date.UTC(1890, 0, 1), max: Date.UTC(2210, 0, 1) });
const instant = fc.tuple(ms, pick(0, 540, -210, 330, 1080)).map(([at, offset]) => {
  const local = new Date(at + offset * 60_000).toISOString().slice(0, -1);
  const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, "0");
  const minutes = String(Math.abs(offset) % 60).padStart(2, "0");
  return offset === 0 ? `${local}Z` : `${local}${offset < 0 ? "-" : "+"}${hours}:${minutes}`;
});
const odd = fc.oneof(pick<unknown>(null, "", 0, true, [], {}, "x"), fc.jsonValue({ maxDepth: 1 }));
const text = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }) },
  { weight: 1, arbitrary: odd },
);
const zone = fc.oneof(
  { weight: 6, arbitrary: pick("Asia/Seoul", "Pacific/Apia", "America/Vancouver", "Asia/Kolkata") },
  { weight: 1, arbitrary: odd },
);
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const mostly = <T>(good: fc.Arbitrary<T>, weight = 12): fc.Arbitrary<unknown> =>
  fc.oneof({ weight, arbitrary: good }, { weight: 1, arbitrary: odd });

const measure = fc.oneof(
  fc.record({ type: pick("heartRate"), unit: pick("bpm", "count/min"), value: fc.double({ min: 25, max: 255 }) }),
  fc.record({ type: pick("steps", "stepCount"), unit: pick("count"), value: fc.double({ min: -5, max: 100_100 }) }),
  fc.record({ type: pick("bodyMass"), unit: pick("lb", "kg"), value: fc.double({ min: 15, max: 600 }) }),
  fc.record({
    type: pick("HKQuantityTypeIdentifierBodyTemperature"),
    unit: pick("degC", "°F"),
    value: fc.double({ min: 28, max: 115 }),
  }),
  fc.record({ type: text, unit: pick("kg", "bpm"), value: mostly(fc.double()) }),
);

const interval = fc.oneof(
  { weight: 8, arbitrary: instant.map((at) => ({ startDate: at, endDate: at })) },
  { weight: 4, arbitrary: fc.record({ startDate: instant, endDate: instant }) },
  { weight: 1, arbitrary: fc.record({ startDate: mostly(instant, 1), endDate: mostly(instant, 1) }) },
);

/** Mostly good samples; each field is odd now and then. */
const samples = fc
  .tuple(
    fc.record({
      id: mostly(text),
      sourceBundle: optional(mostly(text)),
      metadata: optional(
        fc.oneof(
          fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ unit: "grapheme", maxLength: 3 }), { maxKeys: 3 }),
          zone.map((name) => ({ HKTimeZone: name })),
          mostly(fc.dictionary(fc.string({ maxLength: 3 }), text, { maxKeys: 2 }), 2),
        ),
      ),
      isSynced: optional(mostly(fc.boolean())),
      timezone: optional(zone),
      timezoneOffset: optional(mostly(fc.integer({ min: -1100, max: 1100 }))),
    }),
    measure,
    interval,
  )
  .map(([fields, what, when]) => ({ ...fields, ...what, ...when }));

type Sample = Record<string, unknown>;
const UNITS: Record<string, Record<string, (value: number) => number>> = {
  heartRate: { bpm: (v) => v, "count/min": (v) => v },
  stepCount: { count: (v) => v },
  bodyMass: { kg: (v) => v, lb: (v) => v * 0.45359237 },
  bodyTemperature: { degC: (v) => v, "°F": (v) => ((v - 32) * 5) / 9 },
};
const RANGES: Record<string, [number, number]> = {
  heartRate: [30, 250],
  stepCount: [0, 1e5],
  bodyMass: [20, 500],
  bodyTemperature: [30, 45],
};
const NAMES: Record<string, string> = {
  steps: "stepCount",
  HKQuantityTypeIdentifierBodyTemperature: "bodyTemperature",
};

function msOf(value: unknown): number {
  const whole = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
  return typeof value === "string" && whole.test(value) ? Date.parse(value) : Number.NaN;
}

function knownZone(name: unknown): boolean {
  return typeof name === "string" && ["Asia/Seoul", "Pacific/Apia", "America/Vancouver", "Asia/Kolkata"].includes(name);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The rules once more, slow and plain; undefined for a sample that is to be refused. */
function expectedRow(sample: Sample): Record<string, unknown> | undefined {
  const {
    id,
    type,
    value,
    unit,
    startDate,
    endDate,
    sourceBundle,
    isSynced,
    timezone,
    timezoneOffset: offset,
  } = sample;
  const metadata = sample["metadata"] ?? null;
  if (typeof id !== "string" || id === "") return undefined;
  const name = typeof type === "string" ? (Object.hasOwn(NAMES, type) ? NAMES[type]! : type) : "";
  const convert = Object.hasOwn(UNITS, name) && typeof unit === "string" ? UNITS[name]![unit] : undefined;
  if (convert === undefined || typeof value !== "number") return undefined;
  if (value < 0 && name !== "bodyTemperature") return undefined;
  const converted = convert(value);
  const [min, max] = RANGES[name]!;
  if (converted < min || converted > max) return undefined;
  const [startMs, endMs] = [msOf(startDate), msOf(endDate)];
  if (!(startMs <= endMs)) return undefined;
  const year = new Date(startMs).getUTCFullYear();
  if (year < 1900 || year > 2199) return undefined;
  if (![undefined, null].includes(sourceBundle as null) && typeof sourceBundle !== "string") return undefined;
  if (![undefined, null].includes(isSynced as null) && typeof isSynced !== "boolean") return undefined;
  if (metadata !== null && !(isMap(metadata) && Object.values(metadata).every((entry) => typeof entry === "string")))
    return undefined;
  const map = metadata as Record<string, string> | null;
  const measured = map !== null && Object.hasOwn(map, "HKTimeZone") ? map["HKTimeZone"] : undefined;
  if (measured !== undefined && !knownZone(measured)) return undefined;
  if (timezone !== undefined && timezone !== null && !knownZone(timezone)) return undefined;
  if (offset !== undefined && offset !== null && !(Number.isInteger(offset) && Math.abs(offset as number) <= 1080))
    return undefined;
  const named = measured ?? timezone ?? null;
  const byOffset = named === null && typeof offset === "number";
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: byOffset ? "UTC" : ((named as string | null) ?? "America/New_York"),
  });
  return {
    sample_id: id,
    data_type: name,
    value: expect.closeTo(converted, 9) as unknown,
    start_date: startMs * 1000,
    end_date: endMs * 1000,
    source_bundle: sourceBundle ?? null,
    metadata: map === null || Object.keys(map).length === 0 ? null : map,
    is_synced: isSynced ?? false,
    timezone: timezone ?? null,
    timezone_offset: offset ?? null,
    local_date: format.format(startMs + (byOffset ? (offset as number) * 60_000 : 0)),
  };
}

describe("validation", () => {
  it("accepts and refuses what a plain reading of the rules does, with the same rows and the exact bytes", () => {
    let [acceptedAll, refusedAll] = [0, 0];
    const layout = fc.record({ indent: pick(undefined, 1, "\t"), escape: fc.boolean() });
    fc.assert(
      fc.property(fc.array(samples, { maxLength: 6 }), layout, (sent, { indent, escape }) => {
        let json = JSON.stringify({ deviceId: "d", samples: sent, userId: "u" }, null, indent);
        if (escape)
          json = json.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
        const parsed = (JSON.parse(json) as { samples: Sample[] }).samples;
        const done = validate(json);
        const rows = parsed.map(expectedRow);
        const accepted = rows.filter((row) => row !== undefined);
        expect(done.received).toBe(parsed.length);
        expect(done.rows.rows).toBe(accepted.length);
        accepted.forEach((row, i) => {
          const actual = Object.fromEntries(
            Object.keys(row).map((name) => [name, done.rows.columns[name]?.[i]] as [string, unknown]),
          );
          expect({ ...actual, local_date: formatDate(actual["local_date"] as number) }).toEqual(row);
        });
        const refused = parsed.filter((_, i) => rows[i] === undefined);
        expect(done.rejected.map((letter) => JSON.parse(letter.raw_payload ?? "") as unknown)).toEqual(refused);
        acceptedAll += accepted.length;
        refusedAll += refused.length;
        for (const letter of done.rejected) {
          expect(json).toContain(letter.raw_payload);
          expect(letter.error_message).not.toBe("");
        }
      }),
      { numRuns: 400 },
    );
    // The generator is worth its name only when both happen often.
    expect(Math.min(acceptedAll, refusedAll)).toBeGreaterThan(100);
  });

  it("never throws, whatever the bytes, and loses no record", () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
      fc
        .record({
          deviceId: odd,
          userId: odd,
          samples: fc.oneof(fc.array(odd), odd),
          deleted: odd,
          timestamp: odd,
          appVersion: odd,
        })
        .map((value) => Buffer.from(JSON.stringify({ ...value, deviceId: "d", userId: "u" }))),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        const done = validate(bytes.toString("latin1"));
        expect(done.received).toBe(done.rows.rows + done.rejected.length);
      }),
      { numRuns: 500 },
    );
  });
});
