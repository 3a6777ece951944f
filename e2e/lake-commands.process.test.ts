/** The commands of the sales and market lakes, as an operator gives them to a lake of processes. */
import { queryClient, type QueryClient } from "@firn/client";
import { RelationalDatabase } from "@firn/relational";
import { Child, tempFolder, waitFor, type TempFolder } from "@firn/testing";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startMarketSources, type MarketSources } from "./support/market-sources.ts";

const root = join(import.meta.dirname, "..");
const limitMs = 90_000;
const migratedRows = 40_000;

let folder: TempFolder;
let sources: MarketSources;
let lake: Child;
let client: QueryClient;
let database: RelationalDatabase;

beforeAll(async () => {
  folder = await tempFolder("lake-commands");
  sources = await startMarketSources(
    { AAPL: { "2024-01-04": 100, "2024-01-05": 160 }, MSFT: { "2024-01-04": 50, "2024-01-05": 51 } },
    { CPIAUCSL: { "2024-01-01": 308.4 }, UNRATE: { "2024-01-01": 3.7 } },
  );
  const start = [join(root, "tools", "start.mjs"), "--no-sample", "--ports", "auto", "--data-dir", folder.path];
  const env = {
    ...process.env,
    YAHOO_BASE_URL: sources.url,
    FRED_BASE_URL: sources.url,
    FRED_API_KEY: "key",
    FIRN_MACRO_SCHEDULE: "*/3 * * * * *",
    FIRN_QUALITY_SCHEDULE: "*/5 * * * * *",
  };
  lake = new Child(process.execPath, start, { cwd: root, env });
  const endpoints = join(folder.path, "endpoints.json");
  await waitFor(() => existsSync(endpoints) || lake.hasExited, { limitMs, what: "the start of the lake" });
  const addresses = JSON.parse(readFileSync(endpoints, "utf8")) as { query: string; database: string };
  client = queryClient(addresses.query);
  database = new RelationalDatabase({ databaseUrl: addresses.database, name: "test" });
}, 120_000);

afterAll(async () => {
  await database?.close();
  lake?.process.kill("SIGINT");
  if (lake) await waitFor(() => lake.hasExited, { limitMs: 60_000, what: "the end of the lake" });
  sources?.stop();
  await folder.remove();
}, 90_000);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function firn(...args: string[]): Promise<Ended> {
  const environment = { ...process.env, YAHOO_BASE_URL: sources.url, FRED_BASE_URL: sources.url, FRED_API_KEY: "key" };
  const given = [join(root, "firn.mjs"), ...args, "--data-dir", folder.path];
  return new Promise((resolve) => {
    execFile(process.execPath, given, { env: environment }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    );
  });
}

async function firnJson<T>(code: number, ...args: string[]): Promise<T> {
  const ended = await firn(...args, "--json");
  expect(ended, args.join(" ")).toMatchObject({ code });
  return JSON.parse(ended.stdout) as T;
}

it("jobs fetch by the clock", async () => {
  await waitFor(() => sources.asked.includes("CPIAUCSL"), { limitMs, what: "the macro job" });
  const held = async () => ((await client.pipeline()).datasets["market"]?.stored ?? 0) >= 2;
  await waitFor(held, { limitMs, everyMs: 200, what: "macro values in their table" });
}, 120_000);

it("a job by hand stores a day once, names what failed, and refuses a range that is none", async () => {
  await database.query("INSERT INTO tb_meta (ticker, iso_code) VALUES ('AAPL', 'US'), ('GONE', 'US'), ('MSFT', 'US')");
  const days = ["--from", "2024-01-04", "--to", "2024-01-05"];
  for (let time = 0; time < 2; time++) {
    const [report] = await firnJson<{ rows: number; failed: { subject: string }[] }[]>(
      1,
      "ingest",
      "us-price",
      ...days,
    );
    expect(report).toMatchObject({ rows: 4, failed: [{ subject: "GONE" }] });
  }
  expect(await client.pipeline({ waitMs: limitMs })).toMatchObject({ settled: true });
  const { data } = await client.ask("price.daily", { ticker: "AAPL" });
  expect(data.map(({ trade_date: day, close }) => [day, close])).toEqual([
    ["2024-01-04", 100],
    ["2024-01-05", 160],
  ]);
  expect(data[1]!.gross_return).toBeCloseTo(0.6, 12);
  const reversed = await firn("ingest", "us-price", "--from", "2024-01-05", "--to", "2024-01-04");
  expect(reversed).toMatchObject({ code: 2, stderr: expect.stringContaining("is after --to") as string });
}, 120_000);

it("quality names the rules that do not hold", async () => {
  const findings = await firnJson<{ rule: string; table: string; subject: string; passed: boolean }[]>(1, "quality");
  const ofUs = findings.filter(({ table, subject }) => table.endsWith("us_stocks_price") && subject === "all");
  expect(ofUs.find(({ rule }) => rule === "returns")).toMatchObject({ passed: false, findings: 1 });
  expect(ofUs.find(({ rule }) => rule === "freshness")).toMatchObject({ passed: false });
  expect(ofUs.find(({ rule }) => rule === "nulls")).toMatchObject({ passed: true });
  expect(await client.pipeline({ waitMs: limitMs })).toMatchObject({ settled: true });
  const tables = await firnJson<{ name: string; rows: number }[]>(0, "tables");
  expect(tables.find(({ name }) => name === "analytics.tb_quality")?.rows).toBeGreaterThanOrEqual(findings.length);
}, 60_000);

interface Migrated {
  readonly ok: boolean;
  readonly tables: { sent: number; repaired: number; missing: number; different: number; source_rows: number }[];
}

it("a migration that was killed goes on where it was, and is compared by counts and checksums", async () => {
  await database.query(`CREATE TABLE us_stocks_price (meta_id int, trade_date date, close float8, adj_close float8,
    volume bigint, updated_at timestamptz, PRIMARY KEY (meta_id, trade_date))`);
  await database.query(`INSERT INTO us_stocks_price
    SELECT 1000 + i / 40, DATE '2023-01-01' + i % 40, 10 + i * 1e-4, 10 + i * 1e-4, i, '2024-01-01T00:00:00Z'
    FROM generate_series(0, ${migratedRows - 1}) AS i`);
  const migrate = ["migrate", "--table", "us_stocks_price", "--database", "market_data", "--batch-size", "500"];
  const child = spawn(process.execPath, [join(root, "firn.mjs"), ...migrate, "--data-dir", folder.path]);
  const ended = once(child, "exit");
  const states = join(folder.path, "migrate");
  const isOnItsWay = () => existsSync(states) && readdirSync(states).some((name) => name.endsWith(".json"));
  await waitFor(isOnItsWay, { limitMs, everyMs: 5, what: "the first page of the migration" });
  child.kill("SIGKILL");
  await ended;
  expect(isOnItsWay(), "it was killed before its end").toBe(true);

  const resumed = await firnJson<Migrated>(0, ...migrate);
  expect(resumed.tables).toMatchObject([{ source_rows: migratedRows, missing: 0, different: 0, repaired: 0 }]);
  expect(resumed.tables[0]!.sent).toBeLessThan(migratedRows);
  const verify = ["migrate", "--table", "us_stocks_price", "--verify-only"];
  await database.query("DELETE FROM us_stocks_price WHERE meta_id = 1000 AND trade_date = '2023-01-01'");
  await database.query("UPDATE us_stocks_price SET close = 11 WHERE meta_id = 1000 AND trade_date = '2023-01-02'");
  const differs = await firnJson<Migrated>(1, ...verify);
  expect(differs.tables).toMatchObject([{ different: 1, missing: 0, sent: 0, repaired: 0 }]);
  expect((await firnJson<Migrated>(0, ...migrate)).tables).toMatchObject([{ different: 0 }]);
  const { settled, datasets } = await client.pipeline({ waitMs: limitMs });
  expect([settled, datasets["market"]?.rejected]).toEqual([true, 0]);
}, 240_000);

interface Rebuilt {
  readonly settled: boolean;
  readonly dropped: string[];
  readonly report: { windows: number; validation?: { ok: boolean } };
}

it("sales are rebuilt by date and range, judged or not, under their own names alone", async () => {
  await firnJson(0, "import", "sales", join(root, "samples", "sales", "transactions.csv"));
  const names = [
    "--database",
    "sales",
    "--raw-table",
    "sales_transactions_raw",
    "--summary-table",
    "sales_daily_summary",
  ];
  const day = await firnJson<Rebuilt>(0, "rebuild", "sales", "--date", "2025-01-16", ...names);
  expect(day).toMatchObject({ settled: true, dropped: [], report: { windows: 3, validation: { ok: true } } });
  const range = ["--from", "2025-01-14", "--to", "2025-01-15", "--no-validate", "--environment", "staging"];
  const both = await firnJson<Rebuilt>(0, "rebuild", "sales", ...range);
  expect(both.report).toMatchObject({ windows: 6 });
  expect(both.report.validation).toBeUndefined();
  for (const [wrong, what] of [
    [["--date", "2025-01-16", "--from", "2025-01-14"], "--date names one day"],
    [["--from", "2025-01-16", "--to", "2025-01-14"], "is after --to"],
    [["--database", "demo"], "--database demo"],
    [["--raw-table", "other"], "--raw-table other"],
    [["--summary-table", "other"], "--summary-table other"],
    [["--cleanup"], "refused in environment production"],
  ] as const)
    expect(await firn("rebuild", "sales", ...wrong)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(what) as string,
    });

  const cleaned = await firnJson<Rebuilt>(0, "rebuild", "sales", "--environment", "development", "--cleanup");
  expect(cleaned.dropped.sort()).toEqual(["sales.sales_daily_summary", "sales.sales_transactions_raw"]);
}, 180_000);
