import { connectNatsClient, queryClient, type NatsQueryClient } from "@firn/client";
import { startService, type RunningService } from "@firn/service";
import { startNatsServer, waitFor, type NatsServer } from "@firn/testing";
import { tableFromIPC } from "apache-arrow";
import { parse } from "csv-parse/sync";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assemble, queryService } from "../src/query-service.ts";
import { marketLake, walk, weekdays, type MarketLake } from "./market-lake.ts";

const dates = weekdays("2024-01-01", 90);

let market: MarketLake;
let nats: NatsServer;
let service: RunningService;
let byNats: NatsQueryClient;

async function startOver(env: Record<string, string>): Promise<RunningService> {
  const logTo = new Writable({ write: (_, __, done) => done() });
  const started = await startService(
    { ...queryService, setup: (context) => assemble(context, market.lake.env) },
    {
      FIRN_PORT: "0",
      NATS_URL: nats.url,
      ICEBERG_CATALOG_URI: "http://127.0.0.1:1",
      FIRN_DATA_DIR: market.lake.folder,
      FIRN_LOG_LEVEL: "warn",
      ...env,
    },
    { logTo },
  );
  await waitFor(async () => (await started.health.report()).ready, { limitMs: 20_000, what: "the service is ready" });
  return started;
}

beforeAll(async () => {
  market = await marketLake({ ALFA: walk(1, dates), "kr:005930": walk(2, dates, 70_000) });
  nats = await startNatsServer({ dir: market.lake.folder });
  service = await startOver({ DATABASE_URL: market.databaseUrl, FIRN_RECORD_BACKTESTS: "saved" });
  byNats = await connectNatsClient(nats.url);
}, 120_000);

afterAll(async () => {
  await byNats?.close();
  await service?.close();
  await nats?.stop();
  await market?.close();
});

const post = (body: string, type = "application/json") =>
  fetch(`${service.url}/api/backtest`, { method: "POST", headers: { "content-type": type }, body });

describe("market questions over HTTP and NATS", () => {
  it("have the same answers by either way, typed by their definitions", async () => {
    const client = queryClient(service.url);
    const asked = { ticker: "ALFA", start_date: "2024-02-01", end_date: "2024-02-09" } as const;
    const [one, other] = [await client.ask("price.daily", asked), await byNats.ask("price.daily", asked)];
    expect(one.data).toEqual(other.data);
    expect(one.data[0]!.trade_date).toBe("2024-02-01");
    expect(one.data.map((row) => row.adj_close)).toEqual(
      walk(1, dates).slice(23, 30).map((quote) => quote.adjClose), // prettier-ignore
    );
    const security = await client.ask("meta.security", { meta_id: market.ids["kr:005930"]! });
    expect(security.data[0]!.ticker).toBe("005930");
    expect((await byNats.ask("meta.security", { meta_id: market.ids["kr:005930"]! })).data).toEqual(security.data);
    const weeks: string[] = [];
    for await (const row of client.rows("price.cross-market", { us_ticker: "ALFA", kr_ticker: "005930", limit: 40 }))
      weeks.push(row.trade_date);
    expect(weeks).toEqual(dates);
  });

  it("run backtests by either way", async () => {
    const request = {
      meta_ids: [market.ids["ALFA"]!],
      algorithm: "eq",
      start_date: "2024-01-01",
      cost_bps: 2.5,
    } as const;
    const { data } = await queryClient(service.url).ask("backtest.run", request);
    expect(data.nav.length).toBe(dates.length);
    expect(data.nav[0]!.value).toBe(999.75);
    expect((await byNats.ask("backtest.run", request)).data).toEqual(data);
  });

  it("answer CSV and Arrow too, a backtest's curve with it", async () => {
    const body = JSON.stringify({
      meta_ids: [market.ids["ALFA"]],
      algorithm: "eq",
      start_date: "2024-01-01",
      benchmark: "005930",
    });
    const headers = { "content-type": "application/json", accept: "text/csv" };
    const answer = await fetch(`${service.url}/api/backtest`, { method: "POST", headers, body });
    const rows = parse(await answer.text(), { columns: true }) as Record<string, string>[];
    expect(Object.keys(rows[0]!)).toEqual(["trade_date", "value", "benchmark_value"]);
    expect(rows[0]).toEqual({ trade_date: "2024-01-01", value: "1000", benchmark_value: "1000" });
    const arrow = await fetch(`${service.url}/api/price/monthly?tickers=ALFA,005930`, {
      headers: { accept: "application/vnd.apache.arrow.stream" },
    });
    const table = tableFromIPC(new Uint8Array(await arrow.arrayBuffer()));
    expect([...table.getChild("ticker")!].length).toBe(10);
  });

  it.each([
    ["/api/price/daily?ticker=NONE", 404, "unknown_ticker"],
    ["/api/price/daily", 400, "invalid_parameter"],
    ["/api/meta/first", 400, "invalid_parameter"],
    ["/api/meta/99", 404, "unknown_security"],
    ["/api/meta/1?meta_id=2", 400, "invalid_parameter"],
    ["/api/portfolio/99/nav", 404, "unknown_portfolio"],
    ["/api/portfolio/99/unknown", 404, "not_found"],
    ["/api/portfolio/%E0%A4%A/nav", 400, "bad_request"],
    ["/api/backtest", 405, "method_not_allowed"],
  ])("%s is %i %s", async (path, status, code) => {
    const answer = await fetch(`${service.url}${path}`);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    if (status === 405) expect(answer.headers.get("allow")).toBe("POST");
  });

  it("refuse bodies that are no JSON object", async () => {
    const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code];
    expect(await codeOf(await post("{"))).toEqual([400, "broken_json"]);
    expect(await codeOf(await post("[1]"))).toEqual([400, "invalid_parameter"]);
    expect(await codeOf(await post("{}"))).toEqual([400, "invalid_parameter"]);
    expect(await codeOf(await post("a=b", "application/x-www-form-urlencoded"))).toEqual([
      415,
      "unsupported_media_type",
    ]);
  });

  it("count what the cache answered", async () => {
    const asked = { tickers: ["ALFA"], start_date: "2024-01-01" };
    for (let times = 0; times < 3; times++) await byNats.ask("price.aggregate", asked);
    const text = await (await fetch(`${service.url}/metrics`)).text();
    expect(Number(/query_cache_hits(?:\{.*\})? (\d+)/.exec(text)?.[1])).toBeGreaterThanOrEqual(2);
  });
});

it("without PostgreSQL say so, and while it is away that it is", async () => {
  const codes: unknown[] = [];
  for (const env of [{}, { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" }]) {
    const other = await startOver(env as Record<string, string>);
    const answer = await fetch(`${other.url}/api/price/daily?ticker=ALFA`);
    codes.push([answer.status, ((await answer.json()) as { code: string }).code]);
    await other.close();
  }
  expect(codes).toEqual([
    [503, "no_database"],
    [503, "database_unavailable"],
  ]);
});
