import { findQuestion, QUESTIONS, type AnswerColumn } from "@firn/client";
import type { TableDefinition } from "@firn/core";
import { canonicalHealthType, healthUnit } from "@firn/datasets";
import { openKernel, type Kernel } from "@firn/lake";
import { rm, truncate, utimes, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonBody } from "../src/answers/answer-form.ts";
import { QuestionService } from "../src/questions/question-service.ts";
import { ResultCache } from "../src/questions/result-cache.ts";
import { Footers } from "../src/tables/footers.ts";
import { KernelPool } from "../src/tables/kernel-pool.ts";
import { TableCache } from "../src/tables/table-cache.ts";
import { USERS, aggregate, errorRow, lastDay, rawRow, samples, type Sample } from "./sample-rows.ts";
import { health, smallLake, type Row, type SmallLake } from "./small-lake.ts";

const [daily, weekly, monthly] = health.rollups.map((rollup) => rollup.table) as [
  TableDefinition,
  TableDefinition,
  TableDefinition,
];
const START = "2024-11-20";
const old = samples(START, 60, 3, 1);
const recent = samples("2025-12-20", 40, 3, 2).map((sample) => ({ ...sample, id: `r-${sample.id}` }));
const all = [...old, ...recent];
const errors = Array.from({ length: 200 }, (_, index) => errorRow(index));
const completeThrough = "2026-06-01T00:00:00Z";

let lake: SmallLake;
let kernel: Kernel;
let pool: KernelPool;
let service: QuestionService;
const snapshots: Record<string, string> = {};

beforeAll(async () => {
  lake = await smallLake();
  for (const part of [old, recent]) {
    await lake.append(health.raw, part.map(rawRow));
    await lake.append(daily, aggregate(part, "day"));
    const table = await lake.append(weekly, aggregate(part, "week"));
    snapshots["weekly"] ??= String(table.metadata["current-snapshot-id"]);
    await lake.append(monthly, aggregate(part, "month"));
  }
  await lake.append(health.errors, errors.slice(0, 120));
  await lake.append(health.errors, errors.slice(120));
  kernel = await openKernel({ memoryLimitMb: 512, threads: 1, tempDir: `${lake.folder}/spill-query` });
  pool = await KernelPool.open(kernel, { concurrency: 2, waitingMax: 100, timeoutMs: 20_000 });
  service = newService(0);
});

afterAll(async () => {
  pool?.close();
  kernel?.close();
  await lake?.close();
});

function newService(cacheValuesMax: number): QuestionService {
  return new QuestionService({
    env: lake.env,
    tables: new TableCache(lake.env),
    pool,
    footers: new Footers(lake.env.store),
    results: new ResultCache(cacheValuesMax),
    datasets: new Map([["health", health]]),
    canonicalType: canonicalHealthType,
    unitOfType: healthUnit,
    completeThrough: async () => completeThrough,
  });
}

interface Body {
  data: Row[];
  meta: { tables: Record<string, { snapshot_id: string | null }>; complete_through: string | null; unit?: unknown };
  page: { cursor: string | null };
  stats: {
    rows: number;
    files_read: number;
    bytes_read: number;
    cached: boolean;
    cost_usd: number;
    elapsed_ms: number;
  };
}

async function ask(name: string, parameters: Record<string, unknown>, of = service): Promise<Body> {
  return JSON.parse(jsonBody(await of.ask(findQuestion("health", name)!, parameters))) as Body;
}

/** A row as JSON has it. */
const seen = (row: Row): Row =>
  JSON.parse(JSON.stringify(row, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v))) as Row;
const close = (rows: readonly Row[]) =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        if (typeof value === "number") return [name, Number(value.toPrecision(12))];
        return [
          name,
          /(_at|window_start|window_end|_time|_timestamp|start_date|end_date|processing_time)$/.test(name) &&
          String(value).includes("T")
            ? new Date(value as string).getTime()
            : value,
        ];
      }),
    ),
  );
function same(actual: readonly Row[], expected: readonly Row[]): void {
  expect(actual.length).toBe(expected.length);
  expect(close(actual)).toEqual(close(expected.map(seen)));
}
const byColumns =
  (...columns: string[]) =>
  (one: Row, other: Row): number => {
    for (const column of columns) {
      const [a, b] = [one[column] as string, other[column] as string];
      if (a !== b) return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
    }
    return 0;
  };

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
    for (const question of QUESTIONS) {
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
    const rows: Row[] = [];
    let cursor: string | null = null;
    do {
      const page: Body = await ask(name, {
        user_id: "anna",
        data_type: "heartRate,stepCount",
        limit: 7,
        ...(cursor && { cursor }),
      });
      expect(page.data.length).toBeLessThanOrEqual(7);
      rows.push(...page.data);
      cursor = page.page.cursor;
    } while (cursor !== null);
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

const order = (list: readonly Sample[]): Sample[] =>
  [...list].sort((a, b) =>
    a.at === b.at ? Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)) : a.at < b.at ? -1 : 1,
  );

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
    const rows: Row[] = [];
    let cursor: string | null = null;
    do {
      const page: Body = await ask("raw", { ...asked, ...(cursor && { cursor }) });
      rows.push(...page.data);
      cursor = page.page.cursor;
    } while (cursor !== null);
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
    const rows: Row[] = [];
    let cursor: string | null = null;
    do {
      const page: Body = await ask("errors", { ...parameters, limit: 11, ...(cursor && { cursor }) });
      rows.push(...page.data);
      cursor = page.page.cursor;
    } while (cursor !== null);
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

describe("time travel", () => {
  it("answers from the snapshot that is named", async () => {
    const asked = { user_id: "anna", data_type: "heartRate" };
    const body = await ask("weekly", { ...asked, snapshot_id: snapshots["weekly"] });
    same(
      body.data,
      aggregate(
        old.filter((s) => s.user === "anna" && s.type === "heartRate"),
        "week",
      ).sort(byColumns("week_start_date")),
    );
    expect(body.meta.tables["health_db.health_data_weekly_agg"]!.snapshot_id).toBe(snapshots["weekly"]);
    expect(body.meta.complete_through).toBeNull();
  });
  it("answers as of an instant, with nothing before the first one", async () => {
    const asked = { user_id: "anna", data_type: "heartRate" };
    expect((await ask("weekly", { ...asked, as_of: "2020-01-01T00:00:00Z" })).data).toEqual([]);
    const now = await ask("weekly", { ...asked, as_of: new Date().toISOString() });
    expect(now.data).toEqual((await ask("weekly", asked)).data);
  });
  it("refuses a snapshot that is not there", async () => {
    const asked = { user_id: "anna", data_type: "heartRate", snapshot_id: "123" };
    await expect(ask("daily", asked)).rejects.toMatchObject({ status: 400, errors: [{ field: "snapshot_id" }] });
  });
});

describe("cursors", () => {
  it("are refused when made up, or made for another question", async () => {
    const { page } = await ask("raw", { user_id: "anna", limit: 3 });
    for (const cursor of [
      "x",
      "!!",
      Buffer.from("[1]").toString("base64url"),
      Buffer.from('"a"').toString("base64url"),
    ]) {
      await expect(ask("raw", { user_id: "anna", cursor })).rejects.toMatchObject({
        status: 400,
        errors: [{ field: "cursor" }],
      });
    }
    await expect(ask("raw", { user_id: USERS[1], cursor: page.cursor })).rejects.toMatchObject({
      errors: [{ rule: "same_question" }],
    });
    await expect(ask("latest", { user_id: "anna", cursor: page.cursor })).rejects.toMatchObject({
      errors: [{ rule: "unknown" }],
    });
  });
});

describe("after more commits", () => {
  it("pages go on in the snapshot where they began, and new answers see corrections", async () => {
    const asked = { user_id: "anna", data_type: "heartRate" };
    const before = await ask("daily", asked);
    const first = await ask("daily", { ...asked, limit: 4 });
    const corrected = {
      ...aggregate(old, "day").find((row) => row["user_id"] === "anna" && row["data_type"] === "heartRate")!,
      max_value: 999,
    };
    await lake.upsert(daily, [corrected]);
    const rest = await ask("daily", { ...asked, cursor: first.page.cursor, limit: 10_000 });
    expect([...first.data, ...rest.data]).toEqual(before.data);
    const after = await ask("daily", asked);
    expect(after.data).toHaveLength(before.data.length);
    expect(after.data[0]!["max_value"]).toBe(999);
    expect((await ask("top", { data_type: "heartRate", by: "max_value", limit: 1 })).data[0]!["max_value"]).toBe(999);
  });

  it("the same question on the same snapshot reads nothing, until the table moves on", async () => {
    const cached = newService(1_000_000);
    const asked = { user_id: USERS[1], data_type: "heartRate" };
    const first = await ask("daily", asked, cached);
    const again = await ask("daily", asked, cached);
    expect(first.stats.cached).toBe(false);
    expect(again.stats).toMatchObject({ cached: true, files_read: 0, bytes_read: 0, cost_usd: 0 });
    expect(again.data).toEqual(first.data);
    await lake.append(daily, [
      { ...aggregate(old, "day")[0]!, user_id: USERS[1], data_type: "heartRate", aggregation_date: "2030-01-01" },
    ]);
    const moved = await ask("daily", asked, cached);
    expect(moved.stats.cached).toBe(false);
    expect(moved.data).toHaveLength(first.data.length + 1);
  });

  it("follows a renamed column by its field id", async () => {
    const { catalog } = lake.env;
    const identifier = { namespace: [health.namespace], name: monthly.name };
    const before = await ask("monthly", { user_id: "anna", data_type: "heartRate" });
    const { metadata } = await catalog.loadTable(identifier);
    const schema = metadata.schemas.at(-1)!;
    const fields = schema.fields.map((field) => (field.name === "data_type" ? { ...field, name: "kind" } : field));
    await catalog.commitTable(identifier, {
      requirements: [],
      updates: [
        {
          action: "add-schema",
          schema: { ...schema, fields, "schema-id": schema["schema-id"] + 1 },
          "last-column-id": metadata["last-column-id"],
        },
        { action: "set-current-schema", "schema-id": -1 },
      ],
    });
    expect((await ask("monthly", { user_id: "anna", data_type: "heartRate" })).data).toEqual(before.data);
  });
});

describe("a damaged table", () => {
  const asked = { user_id: "anna", data_type: "heartRate", start_date: "2024-12-01", end_date: "2024-12-02" };
  async function fileOfDaily(): Promise<string> {
    const plan = await service.ask(findQuestion("health", "daily")!, asked);
    expect(plan.stats.files_read).toBeGreaterThan(0);
    const { currentFiles, loadTable } = await import("@firn/lake");
    const table = await loadTable(lake.env, { namespace: [health.namespace], name: daily.name });
    const files = await currentFiles(lake.env, table);
    const hits = files.data.filter((file) => JSON.stringify(file.partition).includes("2024-12"));
    const { bucketHash } = await import("@firn/lake");
    const bucket = (bucketHash("string", "anna") & 0x7fffffff) % 8;
    return hits.find((file) => Object.values(file.partition).includes(bucket))!.filePath;
  }

  it("is 503 that names table and file, and the other questions go on", async () => {
    const location = await fileOfDaily();
    const path = fileURLToPath(location);
    const { readFile } = await import("node:fs/promises");
    const bytes = await readFile(path);
    const cached = newService(1_000_000);
    await ask("daily", asked, cached);
    const unreadable = { status: 503, code: "table_unreadable", message: expect.stringContaining(location) as string };

    await truncate(path, 100);
    await expect(ask("daily", asked, cached)).rejects.toMatchObject(unreadable);
    await writeFile(path, Buffer.alloc(bytes.length, 7));
    await expect(ask("daily", asked, cached)).rejects.toMatchObject(unreadable);
    await rm(path);
    const gone = await ask("daily", asked, cached).catch((error: unknown) => error);
    expect(gone).toMatchObject({
      ...unreadable,
      errors: [{ field: "health_db.health_data_daily_agg", rule: "readable" }],
    });
    expect((await ask("weekly", { user_id: "anna", data_type: "heartRate" }, cached)).data.length).toBeGreaterThan(0);

    await writeFile(path, bytes);
    await utimes(path, new Date(), new Date());
    expect((await ask("daily", asked, cached)).data.length).toBeGreaterThan(0);
  });
});

it("refuses more questions than may wait", async () => {
  const small = await KernelPool.open(kernel, { concurrency: 1, waitingMax: 0, timeoutMs: 1000 });
  const first = small.run(() => new Promise<number>((done) => setTimeout(() => done(1), 50)));
  await expect(small.run(async () => 2)).rejects.toMatchObject({
    status: 503,
    code: "busy",
    headers: { "retry-after": "1" },
  });
  expect(await first).toBe(1);
  small.close();
});

it("interrupts a question that takes too long", async () => {
  const hasty = await KernelPool.open(kernel, { concurrency: 1, waitingMax: 1, timeoutMs: 100 });
  const slow = hasty.run((connection) => connection.rows("SELECT count(*) FROM range(1000000000) a, range(1000) b"));
  await expect(slow).rejects.toMatchObject({ status: 503, code: "question_timeout" });
  await expect.poll(() => hasty.running, { timeout: 20_000 }).toBe(0);
  expect(await hasty.run((connection) => connection.value<number>("SELECT 1"))).toBe(1);
  hasty.close();
});
