import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { HealthModel, type ModelSample, type ModelWindow } from "./support/health-model.ts";
import { InProcessLake } from "./support/in-process-lake.ts";

/**
 * The law: whatever comes in whatever order, the tables equal a recomputation from the unique latest samples.
 */
const users = ["ada", "bob"];
const types = ["heartRate", "stepCount", "bodyTemperature"];
const units: Record<string, string> = { heartRate: "count/min", stepCount: "count", bodyTemperature: "degC" };
const lowest: Record<string, number> = { heartRate: 30, stepCount: 0, bodyTemperature: 30 };
const zones = [
  undefined,
  "Europe/Berlin", // both clock changes
  "Asia/Kolkata", // half-hour offset
  "Australia/Lord_Howe", // half-hour daylight saving
  "Pacific/Apia", // skipped 30 December 2011
  "America/Vancouver", // ended clock changes in 2026
  "Pacific/Kiritimati",
  "Pacific/Honolulu",
];
/** Instants at which calendars are hard. */
const corners = [
  "2011-12-29T23:30:00Z",
  "2011-12-30T10:00:00Z",
  "2011-12-31T11:30:00Z",
  "2015-12-31T23:59:59Z",
  "2016-01-03T12:00:00Z",
  "2016-02-29T00:15:00Z",
  "2020-12-31T12:00:00Z",
  "2021-01-03T23:30:00Z",
  "2024-02-29T22:30:00Z",
  "2026-03-29T00:59:59Z",
  "2026-03-29T01:00:00Z",
  "2026-10-25T00:30:00Z",
  "2026-10-25T01:30:00Z",
  "2026-11-01T08:30:00Z",
  "2026-11-02T07:30:00Z",
].map((text) => Date.parse(text));

const sampleArbitrary: fc.Arbitrary<{ user: string; sample: ModelSample }> = fc.record({
  user: fc.constantFrom(...users),
  sample: fc
    .record({
      id: fc.constantFrom("a", "b", "c", "ä", "a\u0308", "🫀", "__proto__"),
      type: fc.constantFrom(...types),
      step: fc.integer({ min: 0, max: 11 }),
      startMs: fc.oneof(
        fc.constantFrom(...corners),
        fc.integer({ min: Date.parse("2026-10-20T00:00:00Z"), max: Date.parse("2026-11-08T00:00:00Z") }),
      ),
      zone: fc.constantFrom(...zones),
    })
    .map(({ step, zone, ...rest }) => ({
      ...rest,
      value: (lowest[rest.type] ?? 0) + step * 1.1,
      ...(zone === undefined ? {} : { zone }),
    })),
});

type Arrival =
  | { readonly kind: "sample"; readonly user: string; readonly sample: ModelSample }
  | { readonly kind: "deleted"; readonly user: string; readonly id: string };

const arrivalArbitrary: fc.Arbitrary<Arrival> = fc.oneof(
  { weight: 8, arbitrary: sampleArbitrary.map((one) => ({ kind: "sample" as const, ...one })) },
  {
    weight: 1,
    arbitrary: sampleArbitrary.map(({ user, sample }) => ({ kind: "deleted" as const, user, id: sample.id })),
  },
);

/** What happens in a run: payloads arrive, someone waits, processes restart, all of it again later. */
const eventArbitrary = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(arrivalArbitrary, { minLength: 1, maxLength: 12 })
      .map((arrivals) => ({ kind: "send" as const, arrivals })),
  },
  { weight: 3, arbitrary: fc.constant({ kind: "settle" as const }) },
  { weight: 1, arbitrary: fc.boolean().map((forget) => ({ kind: "restart" as const, forget })) },
  { weight: 2, arbitrary: fc.nat().map((pick) => ({ kind: "again" as const, pick })) },
);

let lake: InProcessLake | undefined;
afterEach(async () => {
  await lake?.close();
  lake = undefined;
});

describe("the law", () => {
  it("tables equal the recomputation from the unique latest samples", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(eventArbitrary, { minLength: 3, maxLength: 14 }),
        fc.boolean(),
        async (events, maintain) => {
          lake = await InProcessLake.open({ maintain });
          const model = new HealthModel();
          const sent: Arrival[][] = [];
          const send = async (arrivals: Arrival[]) => {
            for (const arrival of arrivals) await lake?.send([payloadOf(arrival)]);
            for (const arrival of arrivals)
              if (arrival.kind === "sample") model.arrive(arrival.user, arrival.sample);
              else model.remove(arrival.user, arrival.id);
          };
          for (const event of events) {
            if (event.kind === "settle") await lake.settle();
            else if (event.kind === "restart") await lake.restart({ forget: event.forget });
            else if (event.kind === "again") {
              const arrivals = sent[event.pick % Math.max(1, sent.length)];
              if (arrivals) await send(arrivals);
            } else {
              sent.push(event.arrivals);
              await send(event.arrivals);
            }
          }
          await lake.settle();
          expect(await lake.counts()).toMatchObject(model.counts);
          await expectRaw(lake, model);
          for (const rollup of lake.dataset.rollups) await expectRollup(lake, model, rollup.period);
          await lake.close();
          lake = undefined;
        },
      ),
      { numRuns: Number(process.env["FIRN_LAW_RUNS"] ?? 15) },
    );
  }, 400_000);
});

function payloadOf(arrival: Arrival): unknown {
  const envelope = { deviceId: "phone", userId: arrival.user };
  if (arrival.kind === "deleted") return { ...envelope, samples: [], deleted: [arrival.id] };
  const { id, type, value, startMs, zone } = arrival.sample;
  const at = new Date(startMs).toISOString();
  return {
    ...envelope,
    samples: [
      {
        id,
        type,
        value,
        unit: units[type],
        startDate: at,
        endDate: at,
        ...(zone === undefined ? {} : { metadata: { HKTimeZone: zone } }),
      },
    ],
  };
}

async function expectRaw(of: InProcessLake, model: HealthModel): Promise<void> {
  const rows = await of.rows<Record<string, unknown>>(of.dataset.raw, [
    "user_id",
    "sample_id",
    "data_type",
    "value",
    "start_date",
  ]);
  const found = rows.map((row) => [
    row["user_id"],
    row["sample_id"],
    row["data_type"],
    row["value"],
    Number(row["start_date"]) / 1000,
  ]);
  const expected = model
    .samples()
    .map(({ user, sample }) => [user, sample.id, sample.type, sample.value, sample.startMs]);
  expect(sorted(found)).toEqual(sorted(expected));
}

async function expectRollup(of: InProcessLake, model: HealthModel, period: "day" | "week" | "month"): Promise<void> {
  const rollup = of.dataset.rollups.find((one) => one.period === period);
  if (!rollup) throw new Error(`no ${period}`);
  const expected = model.windows(period);
  const rows = await of.rows<Record<string, unknown>>(rollup.table);
  const keys = rows.map((row) => JSON.stringify([row["user_id"], row["data_type"], row[rollup.periodColumns.start]]));
  expect(sorted(keys)).toEqual(sorted([...expected.keys()]));
  rows.forEach((row, at) => {
    const window = expected.get(keys[at] ?? "");
    if (window) expectWindow(row, window, period);
  });
}

function expectWindow(row: Record<string, unknown>, window: ModelWindow, period: string): void {
  const exact = ["min_value", "max_value", "count", "timezone"] as const;
  for (const name of exact) expect(row[name], `${window.period} ${name}`).toBe(window[name]);
  expect(row["record_count"]).toBe(window.count);
  for (const name of ["sum_value", "avg_value"] as const)
    expect(Math.abs(Number(row[name]) - window[name])).toBeLessThanOrEqual(1e-9 * Math.abs(window[name]));
  expect(Math.abs(Number(row["stddev_value"]) - window.stddev_value)).toBeLessThanOrEqual(
    1e-9 * Math.max(Math.abs(window.avg_value), window.stddev_value),
  );
  if (period === "day") {
    expect(row["first_value"]).toBe(window.first_value);
    expect(row["last_value"]).toBe(window.last_value);
  } else {
    expect(row["day_count"]).toBe(window.day_count);
    expect(Number(row["daily_avg_of_avg"])).toBeCloseTo(window.daily_avg_of_avg, 9);
  }
}

function sorted<T>(values: readonly T[]): T[] {
  return [...values].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
