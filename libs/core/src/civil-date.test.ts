import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  civilFromDays,
  dayOfWeek,
  daysFromCivil,
  firstOfMonth,
  formatDate,
  isoWeekOf,
  lastOfMonth,
  mondayOf,
  parseDate,
} from "./civil-date.ts";
import { periodOf } from "./period.ts";

const days = fc.integer({ min: daysFromCivil(1600, 1, 1), max: daysFromCivil(2400, 1, 1) });

describe("civil dates", () => {
  it("agree with Date on every date", () => {
    fc.assert(
      fc.property(days, (day) => {
        const date = new Date(day * 86_400_000);
        const expected = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
        expect(civilFromDays(day)).toEqual(expected);
        expect(daysFromCivil(expected.year, expected.month, expected.day)).toBe(day);
        expect(dayOfWeek(day)).toBe(date.getUTCDay() === 0 ? 7 : date.getUTCDay());
        expect(formatDate(day)).toBe(date.toISOString().slice(0, 10));
        expect(parseDate(formatDate(day))).toBe(day);
      }),
    );
  });

  it.each([
    ["2020-12-31", 2020, 53],
    ["2021-01-03", 2020, 53],
    ["2021-01-04", 2021, 1],
    ["2018-12-31", 2019, 1],
    ["2016-01-03", 2015, 53],
    ["2024-12-29", 2024, 52],
    ["2024-12-30", 2025, 1],
    ["2024-02-29", 2024, 9],
  ])("%s is in ISO year %i, week %i", (text, year, week) => {
    expect(isoWeekOf(parseDate(text)!)).toEqual({ year, week });
  });

  it("periods hold their date, start on Monday or on the first, and follow each other", () => {
    fc.assert(
      fc.property(days, (day) => {
        for (const kind of ["day", "week", "month"] as const) {
          const period = periodOf(kind, day);
          expect(period.firstDay <= day && day <= period.lastDay).toBe(true);
          expect(periodOf(kind, period.lastDay + 1).firstDay).toBe(period.lastDay + 1);
        }
        expect(dayOfWeek(mondayOf(day))).toBe(1);
        expect(civilFromDays(firstOfMonth(day)).day).toBe(1);
        expect(civilFromDays(lastOfMonth(day) + 1).day).toBe(1);
      }),
    );
  });

  it.each(["2023-02-29", "2024-13-01", "2024-1-1", "2024-01-01T", "", "2024-00-10", "2024-01-32"])(
    "refuses %s",
    (text) => expect(parseDate(text)).toBeUndefined(),
  );
});
