import { findQuestion, QUESTIONS, type AnswerColumn } from "@firn/client";
import type { TableDefinition } from "@firn/core";
import { healthUnit } from "@firn/datasets";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  all,
  answeringLake,
  byColumns,
  daily,
  errors,
  monthly,
  order,
  same,
  weekly,
  type AnsweringLake,
} from "./answering-lake.ts";
import { USERS, aggregate, lastDay, rawRow, type Sample } from "./sample-rows.ts";
import { health, type Row } from "./small-lake.ts";

let answering: AnsweringLake;
const ask: AnsweringLake["ask"] = (...asked) => answering.ask(...asked);
const askPages: AnsweringLake["askPages"] = (...asked) => answering.askPages(...asked);

beforeAll(async () => {
  answering = await answeringLake();
});
afterAll(() => answering.close());

describe("the questions' columns", () => {
  const tables: Record<string, TableDefinition> = {
    daily,
    weekly,
    monthly,
    raw: health.raw,
    latest: health.raw,
    errors: health.errors,
  };
  it.each(Object.entries(tables))("%s are those of its table", (name, table) => {
    const shown = (columns: readonly AnswerColumn[]) =>
      columns.map(({ name: column, type, optional }) => ({ column, type, optional: optional ?? false }));
    const expected = table.columns.map(({ name: column, type, required }) => ({ column, type, optional: !required }));
    expect(shown(findQuestion("health", name)!.columns)).toEqual(expected);
  });
  it("are answered for every question that has a definition", async () => {
    const parameters = { user_id: USERS[0], data_type: "heartRate", years: "2025" };
    for (const question of QUESTIONS.filter(({ dataset }) => dataset === "health")) {
      const names = new Set(question.parameters.map((parameter) => parameter.name as string));
      const own = Object.fromEntries(Object.entries(parameters).filter(([name]) => names.has(name)));
      const body = await ask(question.name, own);
      expect(body.data.length, question.name).toBeGreaterThan(0);
      for (const column of question.columns) expect(Object.keys(body.data[0]!), question.name).toContain(column.name);
    }
  });
});

describe.each([
  ["daily", "day", "aggregation_date"],
  ["weekly", "week", "week_start_date"],
  ["monthly", "month", "month_start_date"],
] as const)("%s", (name, period, start) => {
  const rowsOf = (user: string, types: readonly string[]) =>
    aggregate(
      all.filter((sample) => sample.user === user && types.includes(sample.type)),
      period,
    ).sort(byColumns(start, "data_type"));

  it.each(USERS)("answers every period of %s in order", async (user) => {
    const body = await ask(name, { user_id: user, data_type: "heartRate" });
    same(body.data, rowsOf(user, ["heartRate"]));
    expect(body.meta.unit).toBe("count/min");
    expect(body.page.cursor).toBeNull();
    expect(body.stats.rows).toBe(body.data.length);
    expect(body.stats.bytes_read).toBeGreaterThan(0);
    expect(body.stats.cost_usd).toBeCloseTo((body.stats.bytes_read * 5) / 1e12, 18);
  });

  it.each([
    ["2024-12-01", "2025-01-05"],
    ["2024-12-31", "2024-12-31"],
    ["2025-03-01", "2025-04-01"],
    ["2026-01-03", undefined],
    [undefined, "2024-11-25"],
  ])("answers every period that overlaps %s to %s", async (from, to) => {
    const range = { ...(from && { start_date: from }), ...(to && { end_date: to }) };
    const body = await ask(name, { user_id: "anna", data_type: "steps,heartRate", ...range });
    const expected = rowsOf("anna", ["heartRate", "stepCount"]).filter((row) => {
      const first = row[start] as string;
      return (to === undefined || first <= to) && (from === undefined || lastDay(first, period) >= from);
    });
    same(body.data, expected);
    expect(body.meta.unit).toEqual({ heartRate: "count/min", stepCount: "count" });
  });

  it.each([1, 2, 5, 33, 5000])("answers the latest %i periods that have data", async (last) => {
    const body = await ask(name, { user_id: "anna", data_type: "heartRate,stepCount", last });
    const rows = rowsOf("anna", ["heartRate", "stepCount"]);
    const periods = [...new Set(rows.map((row) => row[start] as string))].slice(-last);
    same(
      body.data,
      rows.filter((row) => periods.includes(row[start] as string)),
    );
  });

  it("pages to the same rows", async () => {
    const rows = await askPages(name, { user_id: "anna", data_type: "heartRate,stepCount", limit: 7 });
    same(rows, rowsOf("anna", ["heartRate", "stepCount"]));
  });
});

it.each([
  ["weekly", 2024],
  ["weekly", 2025],
  ["weekly", 2026],
  ["monthly", 2024],
  ["monthly", 2025],
] as const)("%s of year %i are those with that year", async (name, year) => {
  const body = await ask(name, { user_id: "anna", data_type: "stepCount", year });
  const period = name === "weekly" ? "week" : "month";
  const rows = aggregate(
    all.filter((sample) => sample.user === "anna" && sample.type === "stepCount"),
    period,
  );
  same(body.data, rows.filter((row) => row["year"] === year).sort(byColumns(`${period}_start_date`)));
});

describe("compare", () => {
  it("has one row a month and one value a year", async () => {
    const body = await ask("compare", {
      user_id: "anna",
      data_type: "steps",
      years: "2024,2025,2026",
      measure: "sum_value",
    });
    const rows = aggregate(
      all.filter((sample) => sample.user === "anna" && sample.type === "stepCount"),
      "month",
    );
    const months = [...new Set(rows.map((row) => row["month"] as number))].sort((a, b) => a - b);
    const value = (month: number, year: number) =>
      rows.find((row) => row["month"] === month && row["year"] === year)?.["sum_value"] ?? null;
    same(
      body.data,
      months.map((month) => ({ month, 2024: value(month, 2024), 2025: value(month, 2025), 2026: value(month, 2026) })),
    );
  });
  it("tells several types apart", async () => {
    const body = await ask("compare", { user_id: "anna", data_type: "steps,heartRate", years: [2026] });
    expect(body.data.map((row) => [row["month"], row["data_type"]])).toEqual([
      [1, "heartRate"],
      [1, "stepCount"],
    ]);
  });
});

describe("top", () => {
  it.each([
    ["daily", "day", "max_value", undefined],
    ["weekly", "week", "daily_avg_of_avg", undefined],
    ["monthly", "month", "sum_value", "anna"],
  ] as const)("of %s is best first", async (name, period, by, user) => {
    const body = await ask("top", {
      data_type: "heartRate",
      period: name,
      by,
      limit: 5,
      ...(user && { user_id: user }),
    });
    const rows = aggregate(
      all.filter((sample) => sample.type === "heartRate" && (user === undefined || sample.user === user)),
      period,
    );
    const best = rows
      .map((row) => row[by] as number)
      .sort((a, b) => b - a)
      .slice(0, 5);
    expect(body.data.map((row) => Number((row[by] as number).toPrecision(10)))).toEqual(
      best.map((value) => Number(value.toPrecision(10))),
    );
    expect(body.data[0]).toHaveProperty("user_id");
  });
});

describe("raw", () => {
  it("pages through the samples of a range by start_date, sample_id", async () => {
    const asked = {
      user_id: USERS[2],
      start_time: "2024-12-01T06:00:00Z",
      end_time: "2025-12-28T00:00:00+01:00",
      limit: 10,
    };
    const [from, to] = [asked.start_time, "2025-12-27T23:00:00.000Z"].map((text) => new Date(text).toISOString());
    const expected = order(all.filter((s) => s.user === USERS[2] && s.at >= from! && s.at < to!)).map(rawRow);
    const rows = await askPages("raw", asked);
    same(rows, expected);
    expect(rows[0]!["processing_time"]).toBe("2026-06-01T00:00:00.123456Z");
  });
  it("reads no more files than a page needs", async () => {
    const page = await ask("raw", { user_id: "anna", limit: 5 });
    const whole = await ask("raw", { user_id: "anna", limit: 10_000 });
    expect(page.data).toEqual(whole.data.slice(0, 5));
    expect(page.stats.files_read).toBeLessThan(whole.stats.files_read / 4);
    expect(page.stats.bytes_read).toBeLessThan(whole.stats.bytes_read / 4);
  });
});

it("latest are the newest samples, first the newest", async () => {
  const body = await ask("latest", { user_id: "anna", data_type: "HKQuantityTypeIdentifierHeartRate", limit: 12 });
  const newest = order(all.filter((s) => s.user === "anna" && s.type === "heartRate"))
    .reverse()
    .slice(0, 12);
  same(body.data, newest.map(rawRow));
  const whole = await ask("latest", { user_id: "anna", limit: 10_000 });
  expect(whole.data.length).toBe(all.filter((s) => s.user === "anna").length);
  expect(body.stats.files_read).toBeLessThan(whole.stats.files_read / 4);
});

it("types tell what a user has, from the daily table", async () => {
  const body = await ask("types", { user_id: "anna" });
  expect(Object.keys(body.meta.tables)).toEqual(["health_db.health_data_daily_agg"]);
  const expected = ["heartRate", "stepCount"].map((type) => {
    const own: Sample[] = order(all.filter((s) => s.user === "anna" && s.type === type));
    return {
      data_type: type,
      unit: healthUnit(type),
      first_date: own[0]!.at.slice(0, 10),
      last_date: own.at(-1)!.at.slice(0, 10),
      rows: own.length,
    };
  });
  expect(body.data).toEqual(expected);
});

describe("errors", () => {
  const newestFirst = (rows: readonly Row[]) =>
    [...rows].sort((a, b) => -byColumns("error_timestamp")(a, b) || byColumns("error_id")(a, b));
  const cases: readonly [Record<string, string>, (row: Row) => boolean][] = [
    [{}, () => true],
    [{ user_id: USERS[1]! }, (row: Row) => row["user_id"] === USERS[1]],
    [{ error_type: "deserialization_error" }, (row: Row) => row["error_type"] === "deserialization_error"],
    [
      { start_time: "2026-03-02T00:00:00Z", end_time: "2026-03-03T00:00:00Z" },
      (row: Row) => (row["error_timestamp"] as string).startsWith("2026-03-02"),
    ],
  ];
  it.each(cases)("of %j page newest first", async (parameters, belongs) => {
    const rows = await askPages("errors", { ...parameters, limit: 11 });
    same(rows, newestFirst(errors.filter(belongs)));
  });
  it("write whole numbers beyond 2^53 as text", async () => {
    const body = await ask("errors", { limit: 10_000 });
    expect(body.data.find((row) => row["error_id"] === errors[1]!["error_id"])!["kafka_offset"]).toBe(
      "9007199254740993",
    );
  });
});

describe("no data", () => {
  it.each([
    ["daily", { user_id: "nobody", data_type: "heartRate" }],
    ["daily", { user_id: "anna", data_type: "noSuchType" }],
    ["daily", { user_id: "anna", data_type: "heartRate", start_date: "1999-01-01", end_date: "1999-12-31" }],
    ["compare", { user_id: "nobody", data_type: "heartRate", years: "2025" }],
    ["types", { user_id: "nobody" }],
    ["latest", { user_id: "nobody" }],
  ])("%s of %j is an empty list", async (name, parameters) => {
    const body = await ask(name, parameters);
    expect(body.data).toEqual([]);
    expect(body.page.cursor).toBeNull();
  });
});
