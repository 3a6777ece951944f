import { describe, expect, it } from "vitest";

import { envelope, health, PROCESSED_US, rejected, SAMPLE, validate } from "./validate-once.ts";

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
