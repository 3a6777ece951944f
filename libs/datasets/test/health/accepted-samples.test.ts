import { parseDate, parseInstantUs } from "@firn/core";
import { describe, expect, it } from "vitest";

import { accepted, envelope, health, PROCESSED_US, RECEIVED_US, rowOf, SAMPLE, validate } from "./validate-once.ts";

describe("an accepted sample", () => {
  it("becomes a row with every column of raw", () => {
    const done = validate(
      envelope(
        [
          {
            ...SAMPLE,
            sourceBundle: "com.apple.health",
            metadata: { HKTimeZone: "Asia/Seoul", note: "" },
            isSynced: true,
            createdAt: "2026-02-01T14:32:00.123456Z",
            timezone: "Europe/Berlin",
            timezoneOffset: 60,
          },
        ],
        { timestamp: "2026-02-01T15:00:00Z", appVersion: "1.2" },
      ),
    );
    expect(Object.keys(done.rows.columns)).toEqual(["_op", ...health.raw.columns.map((column) => column.name)]);
    expect(rowOf(done)).toEqual({
      _op: 0,
      device_id: "d",
      user_id: "u",
      sample_id: "s-1",
      data_type: "heartRate",
      value: 72,
      unit: "count/min",
      start_date: parseInstantUs("2026-02-01T14:30:00Z"),
      end_date: parseInstantUs("2026-02-01T14:31:00Z"),
      source_bundle: "com.apple.health",
      metadata: { HKTimeZone: "Asia/Seoul", note: "" },
      is_synced: true,
      created_at: parseInstantUs("2026-02-01T14:32:00.123456Z"),
      payload_timestamp: parseInstantUs("2026-02-01T15:00:00Z"),
      app_version: "1.2",
      processing_time: PROCESSED_US,
      timezone: "Europe/Berlin",
      timezone_offset: 60,
      local_date: parseDate("2026-02-01"),
    });
  });

  it("has the documented values for what is absent or null", () => {
    const absent = {
      source_bundle: null,
      metadata: null,
      is_synced: false,
      created_at: RECEIVED_US,
      payload_timestamp: RECEIVED_US,
      app_version: "",
      timezone: null,
      timezone_offset: null,
    };
    const nulls = {
      sourceBundle: null,
      metadata: null,
      isSynced: null,
      createdAt: null,
      timezone: null,
      timezoneOffset: null,
    };
    expect(accepted({})).toMatchObject(absent);
    expect(accepted(nulls, { timestamp: null, appVersion: null, deleted: null })).toMatchObject(absent);
    expect(accepted({ metadata: {} }, { timestamp: "2026-02-02T00:00:00Z" })).toMatchObject({
      ...absent,
      payload_timestamp: parseInstantUs("2026-02-02T00:00:00Z"),
      created_at: parseInstantUs("2026-02-02T00:00:00Z"),
    });
  });

  it.each([
    [
      "the zone of the measurement",
      { metadata: { HKTimeZone: "Asia/Seoul" }, timezone: "UTC", timezoneOffset: 0 },
      "2026-02-01",
    ],
    ["the phone's zone", { timezone: "Pacific/Kiritimati", timezoneOffset: 0 }, "2026-02-02"],
    ["the phone's offset", { timezoneOffset: 600 }, "2026-02-02"],
    ["the lake's zone", {}, "2026-02-01"],
  ])("gets its local date from %s", (_, sample, date) => {
    expect(accepted({ ...sample, startDate: "2026-02-01T14:00:00Z" })["local_date"]).toBe(parseDate(date));
  });

  it("gets its local date from a lake's zone that is not UTC", () => {
    const row = accepted(
      { startDate: "2026-02-01T20:00:00Z", endDate: "2026-02-01T20:00:00Z" },
      {},
      { defaultZone: "Asia/Seoul" },
    );
    expect(row["local_date"]).toBe(parseDate("2026-02-02"));
  });

  it.each([
    ["heartRate", 72, "bpm", 72, "count/min"],
    ["heartRate", 1.2, "count/s", 72, "count/min"],
    ["bodyMass", 150, "lb", 68.0388555, "kg"],
    ["bodyMass", 11, "st", 69.85322498, "kg"],
    ["bodyMass", 1600, "oz", 45.359237, "kg"],
    ["bodyMass", 70000, "g", 70, "kg"],
    ["height", 70, "in", 177.8, "cm"],
    ["height", 6, "ft", 182.88, "cm"],
    ["height", 1.8, "m", 180, "cm"],
    ["distanceWalkingRunning", 3, "km", 3000, "m"],
    ["distanceWalkingRunning", 1, "mi", 1609.344, "m"],
    ["activeEnergyBurned", 418.4, "kJ", 100, "kcal"],
    ["activeEnergyBurned", 12, "Cal", 12, "kcal"],
    ["bloodGlucose", 5.5, "mmol/L", 99.0858, "mg/dL"],
    ["bloodGlucose", 5.5, "mmol<180.1558800000541>/L", 99.0858, "mg/dL"],
    ["bodyTemperature", 98.6, "°F", 37, "°C"],
    ["bodyTemperature", 98.6, "degF", 37, "°C"],
    ["bodyTemperature", 36.5, "degC", 36.5, "°C"],
    ["waterTemperature", 23, "degF", -5, "°C"],
    ["oxygenSaturation", 0.97, "fraction", 97, "%"],
    ["bodyFatPercentage", 1, "fraction", 100, "%"],
    ["vo2Max", 41, "mL/min·kg", 41, "mL/kg/min"],
    ["vo2Max", 41, "mL/(kg*min)", 41, "mL/kg/min"],
    ["sleepAnalysis", 7, "hr", 420, "min"],
    ["sleepAnalysis", 5400, "s", 90, "min"],
    ["walkingSpeed", 3.6, "km/hr", 1, "m/s"],
    ["bodyMassIndex", 22, "kg/m²", 22, "count"],
    ["standHours", 1, "hr", 1, "count"],
    ["dietaryWater", 1, "L", 1000, "mL"],
    ["dietaryVitaminD", 0.01, "mg", 10, "mcg"],
    ["heartRateVariability", 0.045, "s", 45, "ms"],
  ])("of %s is converted from %d %s", (type, value, unit, expected, expectedUnit) => {
    const row = accepted({ type, value, unit });
    expect(row).toMatchObject({ data_type: type, unit: expectedUnit });
    expect(row["value"]).toBeCloseTo(expected, 9);
  });

  it.each([
    ["steps", "count", "stepCount"],
    ["distance", "m", "distanceWalkingRunning"],
    ["mindfulSession", "min", "mindfulMinutes"],
    ["heartRateVariabilitySDNN", "ms", "heartRateVariability"],
    ["appleExerciseTime", "min", "exerciseTime"],
    ["appleStandHour", "count", "standHours"],
    ["dietaryEnergyConsumed", "kcal", "dietaryEnergy"],
    ["HKQuantityTypeIdentifierStepCount", "count", "stepCount"],
    ["HKQuantityTypeIdentifierVO2Max", "mL/kg/min", "vo2Max"],
    ["HKQuantityTypeIdentifierHeartRateVariabilitySDNN", "ms", "heartRateVariability"],
    ["HKQuantityTypeIdentifierAppleExerciseTime", "min", "exerciseTime"],
    ["HKQuantityTypeIdentifierDietaryEnergyConsumed", "kcal", "dietaryEnergy"],
    ["HKCategoryTypeIdentifierSleepAnalysis", "min", "sleepAnalysis"],
    ["HKCategoryTypeIdentifierMindfulSession", "min", "mindfulMinutes"],
    ["HKCategoryTypeIdentifierAppleStandHour", "count", "standHours"],
  ])("of type %s is of type %s under its canonical name", (type, unit, expected) => {
    expect(accepted({ type, unit, value: 20 })["data_type"]).toBe(expected);
  });

  it("keeps well-formed odd strings byte for byte", () => {
    const odd = ["\u0000", "😀", "é", "e\u0301", "__proto__", "constructor", " ", "\u2028", 'q"\\/'];
    const samples = odd.map((id) => ({ ...SAMPLE, id, sourceBundle: id }));
    const texts = [JSON.stringify(envelope(samples)), JSON.stringify(envelope(samples)).replaceAll("/", "\\/")];
    for (const text of texts) {
      const done = validate(text);
      expect(done.rows.columns["sample_id"]).toEqual(odd);
      expect(done.rows.columns["source_bundle"]).toEqual(odd);
    }
    const metadata = '{"__proto__":"p","constructor":"c","":"e"}';
    const row = rowOf(validate(JSON.stringify(envelope([SAMPLE])).replace('"id":', `"metadata":${metadata},"id":`)));
    expect(JSON.stringify(row["metadata"])).toBe(metadata);
  });

  it("may carry fields that the lake does not know", () => {
    expect(accepted({ newField: { deep: [1, { a: "b" }] } }, { other: ["x"] })["sample_id"]).toBe("s-1");
  });

  it("loses the sign of zero", () => {
    expect(Object.is(accepted({ type: "stepCount", unit: "count", value: -0 })["value"], 0)).toBe(true);
  });

  it.each([
    ["longer_than_7_days", { endDate: "2026-02-08T23:30:01+09:00" }],
    ["percent_looks_like_fraction", { type: "oxygenSaturation", unit: "%", value: 0.98 }],
    ["percent_looks_like_fraction", { type: "bodyFatPercentage", unit: "percent", value: 1 }],
  ])("is counted with warning %s", (code, sample) => {
    const done = validate(envelope([{ ...SAMPLE, ...sample }]));
    expect([done.rows.rows, [...done.warnings]]).toEqual([1, [[code, 1]]]);
  });

  it.each([
    [{ endDate: "2026-02-08T23:30:00+09:00" }],
    [{ type: "walkingAsymmetryPercentage", unit: "%", value: 0.5 }],
    [{ type: "oxygenSaturation", unit: "fraction", value: 0.98 }],
  ])("has no warning for %j", (sample) => {
    expect(validate(envelope([{ ...SAMPLE, ...sample }])).warnings.size).toBe(0);
  });
});

describe("a lenient validator", () => {
  const lenient = { strict: false };
  it("lets unknown types and units pass with a warning", () => {
    expect(accepted({ type: "HKQuantityTypeIdentifierNewThing", unit: "zorks", value: 3 }, {}, lenient)).toMatchObject({
      data_type: "newThing",
      unit: "zorks",
      value: 3,
    });
    expect(accepted({ unit: "zorks", value: 9999 }, {}, lenient)).toMatchObject({ unit: "zorks", value: 9999 });
    const done = validate(
      envelope([
        { ...SAMPLE, type: "x" },
        { ...SAMPLE, unit: "y" },
      ]),
      lenient,
    );
    expect([...done.warnings]).toEqual([
      ["unknown_type", 1],
      ["unknown_unit", 1],
    ]);
  });

  it("counts no warning of a sample that it refuses", () => {
    const done = validate(envelope([{ ...SAMPLE, type: "x", value: "1" }]), lenient);
    expect([done.rejected.length, done.warnings.size]).toEqual([1, 0]);
  });
});

describe("a tombstone", () => {
  it("is a row with only its identity, before the samples of its payload", () => {
    const done = validate(envelope([SAMPLE], { deleted: ["a", "😀"] }));
    expect(done.rows.columns["_op"]).toEqual([1, 1, 0]);
    expect(done.rows.columns["sample_id"]).toEqual(["a", "😀", "s-1"]);
    const { _op, user_id: user, sample_id: id, ...others } = rowOf(done);
    expect([_op, user, id]).toEqual([1, "u", "a"]);
    expect(new Set(Object.values(others))).toEqual(new Set([null]));
  });

  it("is refused with its own bytes when it names no id", () => {
    const text = JSON.stringify(envelope([SAMPLE])).replace("{", '{"deleted":["ok", 5 ,"","\\ud800", {"id":1}],');
    const done = validate(text);
    expect(done.rows.columns["sample_id"]).toEqual(["ok", "s-1"]);
    expect(done.rejected.map((letter) => letter.raw_payload)).toEqual(["5", '""', '"\\ud800"', '{"id":1}']);
    expect(done.rejected.map((letter) => letter.error_message)).toEqual([
      "deleted is 5: it must be a string",
      "deleted is empty: it must be a non-empty string",
      "deleted holds a lone surrogate: text must be well-formed Unicode",
      "deleted is an object: it must be a string",
    ]);
  });

  it("cannot be read from what is no array: that is one refused record", () => {
    const done = validate(envelope([SAMPLE], { deleted: { a: 1 } }));
    expect([done.rows.rows, done.received]).toEqual([1, 2]);
    expect(done.rejected[0]).toMatchObject({ raw_payload: '{"a":1}', error_type: "validation_error" });
    expect(done.rejected[0]?.error_message).toMatch(/^deleted is an object: it must be an array/);
  });
});
