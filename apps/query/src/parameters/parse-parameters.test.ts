import { QUESTIONS, findQuestion } from "@firn/client";
import { describe, expect, it } from "vitest";
import { formatInstant, isDate, parseInstant } from "./instant.ts";
import { RepeatedParameter, parameterParser } from "./parse-parameters.ts";

const parse = (name: string, input: Record<string, unknown>) => parameterParser(findQuestion("health", name)!)(input);
const errorsOf = (name: string, input: Record<string, unknown>) => {
  const parsed = parse(name, input);
  return parsed.ok ? [] : parsed.errors.map((error) => `${error.field} ${error.rule}`);
};
const daily = { user_id: "u", data_type: "heartRate" };

describe("parameters of a question", () => {
  it("come out typed, with defaults", () => {
    const parsed = parse("raw", { user_id: "u", data_type: "a,b,a", start_time: "2026-01-01T01:00:00+01:00" });
    expect(parsed).toEqual({
      ok: true,
      values: { user_id: "u", data_type: ["a", "b"], start_time: Date.UTC(2026, 0, 1) * 1000, limit: 100 },
    });
  });

  it("takes JSON values as NATS has them", () => {
    const parsed = parse("compare", { ...daily, years: [2025, 2026], measure: "sum_value", snapshot_id: 7 });
    expect(parsed).toMatchObject({ ok: true, values: { years: [2025, 2026], snapshot_id: 7n, measure: "sum_value" } });
    expect(parse("daily", { ...daily, last: 7 })).toMatchObject({ ok: true, values: { last: 7 } });
  });

  it.each([
    ["daily", {}, ["user_id required", "data_type required"]],
    ["daily", { ...daily, user: "x" }, ["user unknown"]],
    ["daily", { ...daily, __proto__x: "x" }, ["__proto__x unknown"]],
    ["daily", { ...daily, user_id: "" }, ["user_id not_empty"]],
    ["daily", { ...daily, data_type: "" }, ["data_type not_empty"]],
    ["daily", { ...daily, data_type: "a,,b" }, ["data_type not_empty"]],
    ["daily", { ...daily, user_id: new RepeatedParameter(2) }, ["user_id once"]],
    ["daily", { ...daily, user_id: "\ud800" }, ["user_id unicode"]],
    ["daily", { ...daily, user_id: 7 }, ["user_id type"]],
    ["daily", { ...daily, start_date: "2026-02-30" }, ["start_date date"]],
    ["daily", { ...daily, start_date: "2026-02-02", end_date: "2026-02-01" }, ["end_date ordered"]],
    ["daily", { ...daily, start_date: "2026-02-02", last: "3" }, ["last exclusive"]],
    ["daily", { ...daily, last: "0" }, ["last min"]],
    ["daily", { ...daily, last: "1e3" }, ["last type"]],
    ["daily", { ...daily, last: "10001" }, ["last max"]],
    ["daily", { ...daily, year: "2026" }, ["year unknown"]],
    ["daily", { ...daily, as_of: "yesterday" }, ["as_of instant"]],
    ["daily", { ...daily, as_of: "2026-01-01T00:00:00" }, ["as_of instant"]],
    ["daily", { ...daily, snapshot_id: "-1" }, ["snapshot_id snapshot_id"]],
    ["daily", { ...daily, snapshot_id: "1", as_of: "2026-01-01T00:00:00Z" }, ["snapshot_id exclusive"]],
    ["weekly", { ...daily, year: "2026", last: "2" }, ["last exclusive"]],
    ["raw", { user_id: "u", limit: "10001" }, ["limit max"]],
    ["raw", { user_id: "u", start_time: "2026-01-01" }, ["start_time instant"]],
    [
      "raw",
      { user_id: "u", start_time: "2026-01-02T00:00:00Z", end_time: "2026-01-01T00:00:00Z" },
      ["end_time ordered"],
    ],
    ["top", { data_type: "a", by: "median" }, ["by choice"]],
    ["top", { data_type: "a", by: "day_count" }, ["by only_with"]],
    ["top", { data_type: "a", by: "first_value", period: "weekly" }, ["by only_with"]],
    ["compare", { ...daily, years: "2025,x" }, ["years type"]],
    ["compare", daily, ["years required"]],
    ["errors", { error_type: "bad" }, ["error_type choice"]],
  ])("%s refuses %j", (name, input, expected) => {
    expect(errorsOf(name, input)).toEqual(expected);
  });

  it("accepts an equal start and end", () => {
    expect(errorsOf("daily", { ...daily, start_date: "2026-02-01", end_date: "2026-02-01" })).toEqual([]);
  });

  it("has a message that names the field, for every question", () => {
    for (const question of QUESTIONS) {
      const parsed = parameterParser(question)({ nonsense: "1" });
      expect(parsed.ok).toBe(false);
      if (!parsed.ok) for (const error of parsed.errors) expect(error.message).toContain(error.field);
    }
  });
});

describe("instants", () => {
  it.each([
    ["2026-01-31T12:00:00Z", Date.UTC(2026, 0, 31, 12) * 1000],
    ["2026-01-31T12:00Z", Date.UTC(2026, 0, 31, 12) * 1000],
    ["2026-01-31T12:00:00.123456Z", Date.UTC(2026, 0, 31, 12) * 1000 + 123456],
    ["2026-01-31T12:00:00+09:00", Date.UTC(2026, 0, 31, 3) * 1000],
    ["2026-01-31T12:00:00 09:00", Date.UTC(2026, 0, 31, 3) * 1000],
    ["2026-01-31T12:00:00-0330", Date.UTC(2026, 0, 31, 15, 30) * 1000],
    ["1969-12-31T23:59:59.999999Z", -1],
    ["0099-01-01T00:00:00Z", -59042995200000000n],
  ])("reads %s", (text, micros) => expect(parseInstant(text)).toBe(micros));

  it.each(["2026-01-31", "2026-01-31T12:00:00", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "x", ""])(
    "refuses %j",
    (text) => expect(parseInstant(text)).toBeUndefined(),
  );

  it("writes microseconds only where they are", () => {
    expect(formatInstant(0)).toBe("1970-01-01T00:00:00Z");
    expect(formatInstant(-1)).toBe("1969-12-31T23:59:59.999999Z");
    expect(formatInstant(1_500_000)).toBe("1970-01-01T00:00:01.500Z");
    expect(formatInstant(1_500n)).toBe("1970-01-01T00:00:00.001500Z");
  });

  it("knows the calendar", () => {
    expect(isDate("2024-02-29")).toBe(true);
    expect(isDate("2023-02-29")).toBe(false);
    expect(isDate("2023-2-9")).toBe(false);
  });
});
