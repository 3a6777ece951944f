import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { explainInstant, formatInstantUs, parseInstantUs } from "./instant.ts";

const us = (iso: string): number => Date.parse(iso) * 1000;

describe("an instant", () => {
  it.each([
    ["2024-02-29T23:59:59Z", us("2024-02-29T23:59:59Z")],
    ["2024-01-15T08:00:00+09:00", us("2024-01-14T23:00:00Z")],
    ["2024-01-15T08:00:00-0330", us("2024-01-15T11:30:00Z")],
    ["2024-01-15T08:00:00+05", us("2024-01-15T03:00:00Z")],
    ["2024-01-15T08:00Z", us("2024-01-15T08:00:00Z")],
    ["2024-01-15T08:00:00.5Z", us("2024-01-15T08:00:00.500Z")],
    ["2024-01-15T08:00:00,123Z", us("2024-01-15T08:00:00.123Z")],
    ["2024-01-15T08:00:00.123456789Z", us("2024-01-15T08:00:00.123Z") + 456],
    ["1969-12-31T23:59:59.999999Z", -1],
    ["1900-01-01T00:00:00+18:00", us("1899-12-31T06:00:00Z")],
    ["2016-12-31T23:59:60Z", us("2017-01-01T00:00:00Z")],
    ["2017-01-01T08:59:60+09:00", us("2017-01-01T00:00:00Z")],
    ["1700-01-01T00:00:00Z", us("1700-01-01T00:00:00Z")],
    ["2249-12-31T23:59:59.999999Z", us("2249-12-31T23:59:59.999Z") + 999],
  ])("is read from %s", (text, expected) => {
    expect(parseInstantUs(text)).toBe(expected);
  });

  it.each([
    ["", /not an ISO 8601 instant/],
    ["yesterday", /not an ISO 8601 instant/],
    ["2024-01-15", /not an ISO 8601 instant/],
    ["2024-01-15 08:00:00Z", /not an ISO 8601 instant/],
    ["2024-1-15T08:00:00Z", /not an ISO 8601 instant/],
    ["20240115T080000Z", /not an ISO 8601 instant/],
    ["１024-01-15T08:00:00Z", /not an ISO 8601 instant/],
    ["2024-01-15T08:00:00", /no valid offset/],
    ["2024-01-15T08:00:00.", /no valid offset/],
    ["2024-01-15T08:00:00z", /no valid offset/],
    ["2024-01-15T08:00:00 +09:00", /not an ISO|no valid offset|no real/],
    ["2024-01-15T08:00:00+9:00", /no valid offset/],
    ["2024-01-15T08:00:00[Asia/Seoul]", /no valid offset/],
    ["2024-01-15T08:00:00.1234567890Z", /more than 9 digits/],
    ["2023-02-29T00:00:00Z", /no real date/],
    ["1900-02-29T00:00:00Z", /no real date/],
    ["2024-04-31T00:00:00Z", /no real date/],
    ["2024-13-01T00:00:00Z", /no real date/],
    ["2024-00-01T00:00:00Z", /no real date/],
    ["2024-01-00T00:00:00Z", /no real date/],
    ["2024-01-15T24:00:00Z", /no real date/],
    ["2024-01-15T08:60:00Z", /no real date/],
    ["2024-01-15T08:00:61Z", /no real date/],
    ["2024-01-15T08:00:60Z", /no real date/],
    ["2024-01-15T08:00:00+18:01", /no real date/],
    ["2024-01-15T08:00:00+05:60", /no real date/],
    ["1699-12-31T23:59:59Z", /outside the years 1700–2249/],
    ["2250-01-01T00:00:00Z", /outside the years 1700–2249/],
  ])("is not read from %s", (text, reason) => {
    expect(parseInstantUs(text)).toBeNaN();
    expect(explainInstant(text)).toMatch(reason);
  });

  it("reads what Date writes, and writes what it reads", () => {
    const range = { min: Date.UTC(1700, 0, 1), max: Date.UTC(2249, 11, 31) };
    fc.assert(
      fc.property(
        fc.integer(range),
        fc.integer({ min: 0, max: 999 }),
        fc.integer({ min: -1080, max: 1080 }),
        (ms, micro, offset) => {
          expect(parseInstantUs(new Date(ms).toISOString())).toBe(ms * 1000);
          const instant = ms * 1000 + micro;
          expect(parseInstantUs(formatInstantUs(instant))).toBe(instant);
          const shifted = new Date(ms + offset * 60_000).toISOString().slice(0, -1);
          const sign = offset < 0 ? "-" : "+";
          const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
          const zone = `${sign}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
          if (ms > range.min + 1e8 && ms < range.max - 1e8) expect(parseInstantUs(shifted + zone)).toBe(ms * 1000);
        },
      ),
    );
  });

  it("never takes a text that the shape does not allow", () => {
    const mutated = fc
      .tuple(fc.constant("2024-01-15T08:00:00.123+09:00"), fc.nat(28), fc.string({ unit: "grapheme", maxLength: 2 }))
      .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + 1));
    const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)$/;
    fc.assert(
      fc.property(mutated, (text) => {
        if (!Number.isNaN(parseInstantUs(text))) expect(text).toMatch(shape);
      }),
    );
  });
});
