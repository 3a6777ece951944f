import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { ingestClient } from "@firn/client";
import { parseDate } from "@firn/core";
import { findOrAddSecurities, type RelationalDatabase, securitiesByTicker } from "@firn/relational";
import { startMigratedDatabase, type MigratedDatabase } from "@firn/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import {
  Fred,
  MarketSender,
  runMacroJob,
  runPriceJob,
  SourceHttp,
  YahooChart,
  type MarketRow,
  type StoredPrice,
} from "../src/index.ts";

/** Answers as the sources and ingest do; what it was asked and sent is kept. */
class FakeWorld {
  readonly asked: URL[] = [];
  readonly rows = new Map<string, MarketRow[]>();
  /** By the last part of the path, else by `series_id`. */
  readonly answers = new Map<string, ((request: IncomingMessage) => [number, unknown, Record<string, string>?])[]>();
  #server: Server | undefined;

  async start(): Promise<string> {
    this.#server = createServer((request, response) => void this.#answer(request, response)).listen(0, "127.0.0.1");
    await new Promise((resolve) => this.#server!.once("listening", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, "http://x");
    let body = "";
    for await (const chunk of request) body += String(chunk);
    if (request.method === "POST") {
      const [payload] = JSON.parse(body) as { table: string; rows: MarketRow[] }[];
      this.rows.set(payload!.table, [...(this.rows.get(payload!.table) ?? []), ...payload!.rows]);
      response.writeHead(202, { "content-type": "application/json" }).end('{"receipt":"r","payloads":1}');
      return;
    }
    this.asked.push(url);
    const key = url.searchParams.get("series_id") ?? decodeURIComponent(url.pathname.split("/").at(-1)!);
    const queue = this.answers.get(key) ?? [];
    const answer = queue.length > 1 ? queue.shift()! : queue[0];
    const [status, value, headers] = answer?.(request) ?? [404, NOT_FOUND];
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof value === "string" ? value : JSON.stringify(value));
  }
}

const NOT_FOUND = { chart: { result: null, error: { code: "Not Found", description: "No data found" } } };

function chart(days: Record<string, [close: number | null, adjClose: number | null, volume?: number]>) {
  const entries = Object.entries(days);
  return {
    chart: {
      result: [
        {
          meta: { currency: "USD", exchangeTimezoneName: "America/New_York" },
          timestamp: entries.map(([date]) => Date.parse(`${date}T14:30:00Z`) / 1000),
          indicators: {
            quote: [{ close: entries.map(([, [close]]) => close), volume: entries.map(([, day]) => day[2] ?? null) }],
            adjclose: [{ adjclose: entries.map(([, [, adjusted]]) => adjusted) }],
          },
        },
      ],
      error: null,
    },
  };
}

const ok = (value: unknown) => () => [200, value] as [number, unknown];
const day = (text: string) => parseDate(text)!;

let relations: MigratedDatabase;
let database: RelationalDatabase;
let world: FakeWorld;
let url: string;

beforeAll(async () => {
  relations = await startMigratedDatabase("jobs");
  ({ database } = relations);
});
afterAll(() => relations?.close());
beforeEach(async () => {
  await database.query("TRUNCATE tb_meta CASCADE");
  world = new FakeWorld();
  url = await world.start();
});
afterEach(() => world.stop());

const http = () => new SourceHttp({ requestsPerSecond: 1_000, backOffMs: 1, attemptsMax: 3, timeoutMs: 2_000 });

function prices(stored: readonly StoredPrice[] = []) {
  return {
    market: "US" as const,
    source: new YahooChart(http(), url),
    stored: { between: () => Promise.resolve(stored) },
    sender: new MarketSender(ingestClient(url), "test"),
    database,
    signal: new AbortController().signal,
  };
}

test("fetches each security, stores its days and goes on behind them; bad answers cost only their ticker", async () => {
  await findOrAddSecurities(database, "US", ["AAPL", "BAD", "GONE", "HTML", "MSFT", "SHORT", "SLOW"]);
  world.answers.set("AAPL", [ok(chart({ "2024-01-02": [10, 9, 100], "2024-01-03": [11, 10, 100] }))]);
  world.answers.set("MSFT", [ok(chart({ "2024-01-02": [5, 5], "2024-01-03": [null, null] }))]);
  world.answers.set("BAD", [ok(chart({ "2024-01-02": [-1, 1] }))]);
  world.answers.set("HTML", [ok("<html>sorry</html>")]);
  world.answers.set("SHORT", [ok({ chart: { result: [{ timestamp: [1], indicators: { quote: [{ close: [] }] } }] } })]);
  world.answers.set("SLOW", [
    () => [429, "Too Many Requests", { "retry-after": "0" }],
    () => [503, ""],
    ok(chart({ "2024-01-02": [7, 7] })),
  ]);
  const report = await runPriceJob({ from: day("2024-01-02"), to: day("2024-01-03") }, prices());
  expect(report).toMatchObject({ job: "us-price", subjects: 7, rows: 4 });
  expect(Object.fromEntries(report.failed.map(({ subject, reason }) => [subject, reason]))).toEqual({
    BAD: "the chart of BAD has the price -1",
    GONE: expect.stringContaining("answers 404") as string,
    HTML: expect.stringContaining("not JSON") as string,
    SHORT: "the chart of SHORT has 1 times and 0 closing prices",
  });
  const [aapl] = await securitiesByTicker(database, ["AAPL"]);
  expect(aapl).toMatchObject({ min_date: "2024-01-02", max_date: "2024-01-03" });
  expect(world.rows.get("us_stocks_price")).toContainEqual({
    meta_id: aapl!.meta_id,
    trade_date: "2024-01-03",
    close: 11,
    adj_close: 10,
    volume: 100,
  });
  expect(world.rows.get("tb_calendar")).toContainEqual({ iso_code: "US", trade_date: "2024-01-06", is_open: false });

  world.asked.length = 0;
  const again = await runPriceJob({ from: undefined, to: day("2024-01-03") }, prices());
  expect(world.asked.map(({ pathname }) => pathname.split("/").at(-1))).not.toContain("AAPL");
  expect(again.up_to_date).toBe(1);
});

test("new adjusted prices follow on the last stored one, with the source's own returns", async () => {
  await findOrAddSecurities(database, "US", ["AAPL"]);
  // A dividend has moved the source's past: 9 became 8.1 there.
  world.answers.set("AAPL", [ok(chart({ "2024-01-02": [10, 8.1], "2024-01-03": [11, 9], "2024-01-04": [12, 10] }))]);
  await runPriceJob(
    { from: day("2024-01-03"), to: day("2024-01-04") },
    prices([{ day: day("2024-01-02"), adjClose: 9 }]),
  );
  const stored = world.rows.get("us_stocks_price")!;
  expect(stored.map((row) => row["trade_date"])).toEqual(["2024-01-03", "2024-01-04"]);
  expect(Number(stored[0]!["adj_close"]) / 9).toBeCloseTo(9 / 8.1, 12);
  expect(Number(stored[1]!["adj_close"]) / Number(stored[0]!["adj_close"])).toBeCloseTo(10 / 9, 12);
});

test("a Korean ticker is looked for on both boards, an index by its own symbol", async () => {
  await findOrAddSecurities(database, "KR", ["035720"]);
  world.answers.set("035720.KQ", [ok(chart({ "2024-01-02": [10, 10] }))]);
  const report = await runPriceJob(
    { from: day("2024-01-02"), to: day("2024-01-02") },
    { ...prices(), market: "KR" as const },
  );
  expect(report).toMatchObject({ rows: 1, failed: [] });
  await findOrAddSecurities(database, "US", ["SP500"]);
  world.answers.set("^GSPC", [ok(chart({ "2024-01-02": [4700, 4700] }))]);
  const index = await runPriceJob({ from: day("2024-01-02"), to: day("2024-01-02") }, prices());
  expect(index).toMatchObject({ rows: 1, failed: [] });
});

test("a market that was closed is asked nothing", async () => {
  await findOrAddSecurities(database, "US", ["AAPL"]);
  const report = await runPriceJob({ from: day("2024-01-06"), to: day("2024-01-07") }, prices());
  expect(report).toMatchObject({ rows: 0, up_to_date: 1, failed: [] });
  expect(world.asked).toEqual([]);
});

test("macro series and the exchange rate; a missing value is null, a refused series is reported without the key", async () => {
  const observations = (...list: [string, string][]) =>
    ok({ observations: list.map(([date, value]) => ({ date, value })) });
  for (const series of ["USALOLITOAASTSAM", "USRECD", "T10Y2Y", "UNRATE", "PAYEMS", "FEDFUNDS"])
    world.answers.set(series, [observations()]);
  world.answers.set("CPIAUCSL", [observations(["2024-01-01", "308.417"], ["2024-02-01", "."])]);
  world.answers.set("UNRATE", [
    () => [400, { error_code: 400, error_message: "Bad Request. The series does not exist." }],
  ]);
  world.answers.set("PAYEMS", [observations(["2024-01-01", "many"])]);
  world.answers.set("DEXKOUS", [observations(["2024-01-02", "1300.5"], ["2024-01-03", "."])]);
  const source = new Fred(http(), { apiKey: "secret-key", baseUrl: url });
  const report = await runMacroJob(
    { from: day("2024-01-01"), to: day("2024-03-01") },
    { source, sender: new MarketSender(ingestClient(url), "test"), database, signal: new AbortController().signal },
  );
  expect(world.rows.get("tb_macro_data")).toMatchObject([
    { base_date: "2024-01-01", value: 308.417, fred_series_id: "CPIAUCSL" },
    { base_date: "2024-02-01", value: null },
  ]);
  expect(world.rows.get("tb_exchange_rates")).toEqual([
    { base: "USD", quote: "KRW", rate_date: "2024-01-02", rate: 1300.5 },
  ]);
  expect(report.failed.map(({ subject }) => subject).sort()).toEqual(["PAYEMS", "UNRATE"]);
  expect(JSON.stringify(report)).not.toContain("secret-key");
  expect(world.asked[0]!.searchParams.get("api_key")).toBe("secret-key");
});
