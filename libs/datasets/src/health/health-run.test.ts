import { describe, expect, it } from "vitest";

import { parseDate, parseInstantUs, type DeadLetter, type ValidatedRun } from "@firn/core";

import { createHealthDataset } from "./dataset.ts";

const health = createHealthDataset();
const RECEIVED_US = parseInstantUs("2026-03-01T00:00:00Z");
const PROCESSED_US = RECEIVED_US + 5;

const SAMPLE = {
  id: "s-1",
  type: "heartRate",
  value: 72,
  unit: "count/min",
  startDate: "2026-02-01T23:30:00+09:00",
  endDate: "2026-02-01T23:31:00+09:00",
};

const envelope = (samples: unknown, more: object = {}): object => ({ deviceId: "d", userId: "u", samples, ...more });

function validate(payload: unknown, options: { strict?: boolean; defaultZone?: string } = {}): ValidatedRun {
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

function rowOf(done: ValidatedRun, index = 0): Record<string, unknown> {
  return Object.fromEntries(Object.entries(done.rows.columns).map(([name, values]) => [name, values[index]]));
}

function accepted(sample: object, payload: object = {}, options = {}): Record<string, unknown> {
  const done = validate(envelope([{ ...SAMPLE, ...sample }], payload), options);
  expect(done.rejected).toEqual([]);
  return rowOf(done);
}

function rejected(sample: unknown, payload: object = {}, options = {}): DeadLetter {
  const done = validate(envelope([sample], payload), options);
  expect(done.rows.rows).toBe(0);
  expect(done.rejected).toHaveLength(1);
  return done.rejected[0]!;
}

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

describe("a refused sample", () => {
  const without = (field: string): object =>
    Object.fromEntries(Object.entries(SAMPLE).filter(([name]) => name !== field));

  it.each(["id", "type", "value", "unit", "startDate", "endDate"])("lacks %s", (field) => {
    const letter = rejected(without(field));
    expect(letter.error_type).toBe("validation_error");
    expect(letter.error_message).toBe(`${field} is missing: it is required`);
  });

  it.each([
    [{ id: "" }, /^id is empty/],
    [{ id: 7 }, /^id is 7: it must be a string/],
    [{ id: "x".repeat(1025) }, /^id has 1025 characters: it must have at most 1024/],
    [{ type: "unicorn" }, /^type "unicorn" is unknown/],
    [{ type: null }, /^type is null: it must be a string/],
    [{ type: "__proto__" }, /^type "__proto__" is unknown/],
    [{ unit: "parsec" }, /^unit "parsec" is unknown for heartRate: it must be count\/min or convert to it/],
    [{ unit: "kg" }, /^unit "kg" is unknown for heartRate/],
    [{ unit: "toString" }, /^unit "toString" is unknown/],
    [{ value: "72" }, /^value is "72": it must be a finite number/],
    [{ value: null }, /^value is null: it must be a finite number/],
    [{ value: [] }, /^value is an array/],
    [{ value: 29.9 }, /^value 29.9 count\/min is out of range: heartRate must be within 30–250 count\/min/],
    [{ value: 250.1 }, /out of range/],
    [{ value: -1 }, /^value -1 is negative: it must be at least 0/],
    [{ type: "bodyMass", unit: "lb", value: 3000 }, /^value 3000 lb = 1360\.77711 kg is out of range: bodyMass/],
    [{ startDate: "2026-02-01T23:30:00" }, /^startDate "2026-02-01T23:30:00" has no valid offset/],
    [{ startDate: 1769956200000 }, /^startDate is 1769956200000: it must be a string with an ISO 8601 instant/],
    [{ startDate: "2026-02-30T00:00:00Z", endDate: "2026-03-30T00:00:00Z" }, /^startDate .* names no real date/],
    [{ startDate: "1899-12-31T23:59:59Z" }, /^startDate .* its year must be 1900–2199/],
    [
      { startDate: "2200-01-01T00:00:00Z", endDate: "2200-01-01T00:00:00Z" },
      /^startDate .* its year must be 1900–2199$/,
    ],
    [{ endDate: "2026-02-01T23:29:59+09:00" }, /^endDate .* is before startDate/],
    [{ endDate: "soon" }, /^endDate "soon" is not an ISO 8601 instant/],
    [{ createdAt: "soon" }, /^createdAt "soon" is not an ISO 8601 instant/],
    [{ isSynced: "yes" }, /^isSynced is "yes": it must be true or false/],
    [{ sourceBundle: 1 }, /^sourceBundle is 1: it must be a string where it is given/],
    [{ timezone: "Mars/Phobos" }, /^timezone "Mars\/Phobos" is unknown: it must be a name of the IANA/],
    [{ timezone: "" }, /^timezone "" is unknown/],
    [{ timezone: 9 }, /^timezone is 9: it must be a string/],
    [{ timezone: "+09:00" }, /^timezone "\+09:00" is unknown/],
    [{ metadata: { HKTimeZone: "asia/seoul" } }, /^metadata.HKTimeZone "asia\/seoul" is unknown/],
    [{ metadata: { HKTimeZone: "Asia/Seoul" }, timezone: "Nowhere" }, /^timezone "Nowhere" is unknown/],
    [{ timezoneOffset: 1081 }, /^timezoneOffset 1081 is out of range: it must be whole minutes.*±1080/],
    [{ timezoneOffset: -1081 }, /^timezoneOffset -1081/],
    [{ timezoneOffset: 330.5 }, /^timezoneOffset is 330.5: it must be whole minutes/],
    [{ timezoneOffset: "540" }, /^timezoneOffset is "540"/],
    [{ metadata: [] }, /^metadata is an array: it must be an object of strings/],
    [{ metadata: "x" }, /^metadata is "x"/],
    [{ metadata: { a: "b", n: 1 } }, /^metadata\.n is 1: it must be a string/],
    [{ metadata: { n: null } }, /^metadata\.n is null/],
    [{ metadata: { n: { deep: {} } } }, /^metadata\.n is an object/],
  ])("with %j says why", (change, message) => {
    const letter = rejected({ ...SAMPLE, ...change });
    expect(letter.error_type).toBe("validation_error");
    expect(letter.error_message).toMatch(message);
  });

  it.each([[3], ["x"], [null], [[]], [true]])("may be no object: %j", (sample) => {
    expect(rejected(sample).error_message).toMatch(/^sample is .*: it must be an object/);
  });

  it("lists all its problems in one message", () => {
    const letter = rejected({ ...SAMPLE, id: "", value: "x", unit: 1, timezone: "X" });
    expect(letter.error_message).toBe(
      'id is empty: it must be a non-empty string; unit is 1: it must be a string; value is "x": it must be a finite ' +
        'number; timezone "X" is unknown: it must be a name of the IANA time-zone database',
    );
    const metadata = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, i]));
    expect(rejected({ ...SAMPLE, metadata }).error_message).toMatch(/; and 80 more$/);
  });

  it("has a transformation error when its value cannot be converted", () => {
    const letter = rejected({ ...SAMPLE, type: "distanceWalkingRunning", unit: "km", value: 1e307 });
    expect(letter.error_type).toBe("transformation_error");
    expect(letter.error_message).toMatch(/^value 1e\+307 km has no finite value in m/);
    expect(rejected({ ...SAMPLE, type: "distance", unit: "km", value: 1e307, endDate: "x" }).error_type).toBe(
      "validation_error",
    );
  });

  it("has a value that no double holds", () => {
    const done = validate(JSON.stringify(envelope([SAMPLE])).replace("72", "1e999"));
    expect(done.rejected[0]?.error_message).toMatch(/^value is too large for a double/);
  });

  it("keeps its exact bytes, the others go on, and says where it came from", () => {
    const bad = '{ "id" : "b\\u0061d", "value":1.50, "type":"unicorn" ,"x":["}",{"y":"]"}]}';
    const text = `{"deviceId":"d","samples":[${JSON.stringify(SAMPLE)}, ${bad} ,{"id":1}],"userId":"u"}`;
    const done = validate(text);
    expect(done.rows.rows).toBe(1);
    expect(done.rejected.map((letter) => letter.raw_payload)).toEqual([bad, '{"id":1}']);
    expect(done.rejected[0]).toMatchObject({
      error_type: "validation_error",
      user_id: "u",
      device_id: "d",
      sample_id: "bad",
      data_type: "unicorn",
      error_timestamp: PROCESSED_US,
      kafka_topic: "intake.health.2",
      kafka_partition: 2,
      kafka_offset: 77,
    });
  });

  it("names its Kafka record when it came from there", () => {
    const run = health.beginRun({ strict: true, defaultZone: "UTC" }, 1);
    const origin = { kind: "kafka", topic: "health-data-raw", partition: 5, offset: 99 } as const;
    const bytes = Buffer.from(JSON.stringify(envelope([1])));
    run.add({ bytes, encoding: "json", receivedAtUs: 1, origin, subject: "intake.health.0", shard: 0, sequence: 1 });
    expect(run.finish().rejected[0]).toMatchObject({
      kafka_topic: "health-data-raw",
      kafka_partition: 5,
      kafka_offset: 99,
    });
  });

  it.each([
    ['{"id":"s-1"', '{"id":"s-1","id":"s-1"', /^id is a duplicate key/],
    ['{"id":"s-1"', '{"metadata":{"a":"1","a":"2"},"id":"s-1"', /^metadata\.a is a duplicate key/],
    ['{"id":"s-1"', '{"id":"\\ud800"', /^id holds a lone surrogate/],
    ['{"id":"s-1"', '{"metadata":{"\\udc00":"x"},"id":"s-1"', /holds a lone surrogate/],
  ])("with %s made %s", (from, to, message) => {
    const text = JSON.stringify(envelope([{ ...SAMPLE, id: "first" }, SAMPLE])).replace(from, to);
    const done = validate(text);
    expect(done.rows.columns["sample_id"]).toEqual(["first"]);
    expect(done.rejected[0]?.error_type).toBe("validation_error");
    expect(done.rejected[0]?.error_message).toMatch(message);
  });

  it("shares the malformed fields of its payload", () => {
    for (const [payload, message] of [
      [{ timestamp: "now" }, /^timestamp "now" is not an ISO 8601 instant/],
      [{ timestamp: 5 }, /^timestamp is 5/],
      [{ appVersion: 2 }, /^appVersion is 2: it must be a string/],
      [{ appVersion: "v".repeat(2000) }, /^appVersion has 2000 characters/],
    ] as const) {
      const done = validate(envelope([SAMPLE, { ...SAMPLE, id: "s-2" }], payload));
      expect(done.rejected.map((letter) => letter.sample_id)).toEqual(["s-1", "s-2"]);
      for (const letter of done.rejected) expect(letter.error_message).toMatch(message);
      expect(validate(envelope([], payload)).rejected[0]).toMatchObject({
        error_type: "validation_error",
        sample_id: null,
      });
    }
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

describe("a payload refused as a whole", () => {
  it.each<[string, string | Uint8Array, string, RegExp]>([
    ["broken JSON", '{"deviceId":"d",', "deserialization_error", /^payload is not JSON: /],
    ["NaN", '{"value":NaN}', "deserialization_error", /^payload is not JSON: /],
    ["nothing", "", "deserialization_error", /^payload is not JSON: /],
    ["other bytes than UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "deserialization_error", /^payload is not UTF-8/],
    ["an array", "[]", "schema_error", /^payload is an array: it must be an object/],
    ["no ids", '{"samples":[]}', "schema_error", /^deviceId is missing; userId is missing$/],
    ["no samples", '{"deviceId":"d","userId":"u","samples":{}}', "schema_error", /^samples must be an array$/],
    ["an empty user", '{"deviceId":"d","userId":"","samples":[]}', "schema_error", /^userId must not be empty$/],
    [
      "a long user",
      JSON.stringify({ deviceId: "d", userId: "u".repeat(1025), samples: [] }),
      "schema_error",
      /^userId must have at most/,
    ],
    [
      "a key twice",
      '{"deviceId":"d","userId":"u","userId":"v","samples":[]}',
      "validation_error",
      /^userId is a duplicate key/,
    ],
    [
      "a lone surrogate",
      '{"deviceId":"d","userId":"\\ud800","samples":[]}',
      "validation_error",
      /^userId holds a lone surrogate/,
    ],
  ])("because of %s is one record with its bytes", (_, payload, errorType, message) => {
    const done = validate(payload);
    expect([done.received, done.rejected.length]).toEqual([1, 1]);
    const [letter] = done.rejected;
    expect(letter?.error_type).toBe(errorType);
    expect(letter?.error_message).toMatch(message);
    const raw = letter?.raw_payload ?? "";
    const bytes = raw.startsWith("base64:") ? Buffer.from(raw.slice(7), "base64") : Buffer.from(raw);
    expect(bytes.equals(Buffer.from(payload))).toBe(true);
  });

  it("is refused the same way when it is Avro, which has no decoder here", () => {
    const run = health.beginRun({ strict: true, defaultZone: "UTC" }, 1);
    const bytes = Buffer.from([0, 0, 0, 0, 1, 0xff]);
    run.add({
      bytes,
      encoding: "avro",
      receivedAtUs: 1,
      origin: { kind: "kafka" },
      subject: "s",
      shard: 0,
      sequence: 1,
    });
    expect(run.finish().rejected[0]).toMatchObject({ error_type: "schema_error", raw_payload: "base64:AAAAAAH/" });
  });

  it("may be nested without end and harms nothing", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const done = validate(
      `{"deviceId":"d","userId":"u","samples":[{"id":"x","value":${deep}},${JSON.stringify(SAMPLE)}],"deep":${deep}}`,
    );
    expect([done.rows.rows, done.rejected.length]).toEqual([1, 1]);
  });
});
