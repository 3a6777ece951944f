import type { QuestionReply } from "@firn/client";
import { parseDate } from "@firn/core";
import { performanceMetrics, runBacktest } from "@firn/finance";
import { StreamError } from "@firn/stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { marketLake, priceRows, walk, weekdays, type MarketBody, type MarketLake, type Quote } from "./market-lake.ts";
import type { Row } from "./small-lake.ts";

type BacktestDocument = QuestionReply<"backtest.run">["data"];

const dates = weekdays("2022-01-03", 420);
const quotes: Record<string, readonly Quote[]> = {
  A: walk(1, dates),
  B: walk(2, dates),
  C: walk(3, dates),
  STOPS: walk(4, dates.slice(0, 200)),
  LATE: walk(5, dates.slice(300)),
  BAD: [...walk(6, dates.slice(0, 10)), { date: dates[10]!, adjClose: 0 }],
  INDEX: walk(
    7,
    dates.filter((_, index) => index % 7 !== 3),
    4000,
  ),
  "kr:000660": walk(8, dates, 90_000),
};

let market: MarketLake;
const ask: MarketLake["ask"] = (...asked) => market.ask(...asked);
const id = (name: string) => market.ids[name]!;
const backtest = (request: Row): Promise<MarketBody<BacktestDocument>> =>
  ask<BacktestDocument>("backtest", { algorithm: "eq", start_date: dates[0], ...request });

beforeAll(async () => {
  market = await marketLake(quotes);
}, 120_000);
afterAll(() => market?.close());

interface Seen {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly fields: readonly string[];
}

async function problemOf(asked: Promise<unknown>): Promise<Seen> {
  try {
    await asked;
  } catch (error) {
    const { status, code, message, errors = [] } = error as Seen & { errors?: { field: string }[] };
    return { status, code, message, fields: errors.map((one) => one.field) };
  }
  throw new Error("the question was answered");
}

const seriesOf = (name: string) => ({
  dates: quotes[name]!.map((quote) => parseDate(quote.date)!),
  prices: quotes[name]!.map((quote) => quote.adjClose!),
});

describe("a backtest", () => {
  it.each([
    ["eq", "monthly", 0],
    ["dual_mmt", "monthly", 10],
    ["dual_mmt", "quarterly", 0],
    ["eq", "yearly", 2.5],
  ] as const)("%s %s at %d basis points answers what the engine has", async (algorithm, frequency, costBps) => {
    const names = ["C", "A", "B"];
    const { data, meta } = await backtest({
      meta_ids: names.map(id),
      algorithm,
      rebal_freq: frequency,
      cost_bps: costBps,
      start_date: dates[5],
      end_date: dates[400],
    });
    const curve = runBacktest({
      assets: names.map(seriesOf),
      algorithm,
      frequency,
      costBps,
      startDate: parseDate(dates[5]!)!,
      endDate: parseDate(dates[400]!)!,
    });
    if (curve.kind !== "curve") throw new Error(curve.kind);
    expect(data.nav.map((point) => point.value)).toEqual(curve.nav);
    expect(data.nav.map((point) => point.trade_date)).toEqual(dates.slice(5, 401));
    expect(data.weights.length).toBe(curve.rebalances.length * 3);
    expect(data.weights.slice(0, 3).map((row) => row.meta_id)).toEqual(names.map(id));
    expect(data.metrics).toEqual(performanceMetrics(curve.nav));
    expect(data).toMatchObject({ benchmark: null, ended_early: null, started_late: null, port_id: null });
    expect(Object.keys(meta.tables)).toEqual(["market_data.us_stocks_price"]);
  });

  it("has a benchmark's own curve on its dates", async () => {
    const { data } = await backtest({ meta_ids: [id("A")], benchmark: "INDEX" });
    const index = new Map(quotes["INDEX"]!.map((quote) => [quote.date, quote.adjClose!]));
    expect(data.benchmark!.nav.map((point) => point.trade_date)).toEqual(data.nav.map((point) => point.trade_date));
    let last = 0;
    for (const { trade_date: date, value } of data.benchmark!.nav) {
      last = index.get(date) ?? last;
      expect(value).toBeCloseTo((1000 * last) / index.get(dates[0]!)!, 8);
    }
  });

  it("of one asset is that asset", async () => {
    const { data } = await backtest({ meta_ids: id("B") });
    const [first] = quotes["B"]!;
    for (const [index, { value }] of data.nav.entries()) {
      expect(value).toBeCloseTo((1000 * quotes["B"]![index]!.adjClose!) / first!.adjClose!, 8);
    }
  });

  it("ends where a series stops and starts where one starts, and says so", async () => {
    const ended = await backtest({ meta_ids: [id("A"), id("STOPS")] });
    expect(ended.data.nav.at(-1)!.trade_date).toBe(dates[199]);
    expect(ended.data.ended_early).toEqual({ trade_date: dates[199], reason: `STOPS: no price after ${dates[199]}` });
    const late = await backtest({ meta_ids: [id("LATE"), id("A")] });
    expect(late.data.nav[0]!.trade_date).toBe(dates[300]);
    expect(late.data.started_late).toEqual({ trade_date: dates[300], reason: `LATE: no price before ${dates[300]}` });
    const beyond = await backtest({ meta_ids: [id("A")], end_date: "2030-01-01" });
    expect(beyond.data.ended_early).toEqual({ trade_date: dates.at(-1), reason: `A: no price after ${dates.at(-1)}` });
  });

  it("asked again comes from the cache", async () => {
    const request = { meta_ids: [id("A"), id("C")], rebal_freq: "quarterly" };
    const [first, second] = [await backtest(request), await backtest(request)];
    expect([first.stats.cached, second.stats.cached]).toEqual([false, true]);
    expect(second.data).toEqual(first.data);
  });

  it("starts at the next trading day of a start on a weekend", async () => {
    const { data } = await backtest({ meta_ids: [id("A")], start_date: "2022-01-08", end_date: "2022-01-16" });
    expect(data.nav.map((point) => point.trade_date)).toEqual(dates.slice(5, 10));
    expect(data).toMatchObject({ ended_early: null, started_late: null });
  });

  it("of less than thirteen month-ends holds cash under dual momentum", async () => {
    const { data } = await backtest({ meta_ids: [id("A")], algorithm: "dual_mmt", end_date: dates[200] });
    expect(data.weights.every(({ weight }) => weight === 0)).toBe(true);
    expect(data.nav.every(({ value }) => value === 1000)).toBe(true);
    expect(data.metrics).toMatchObject({ ann_ret: 0, ann_vol: 0, sharpe: null, mdd: 0 });
  });
});

describe("a backtest refuses", () => {
  it.each([
    [() => ({ meta_ids: [id("A"), 4711, 4712] }), 404, "unknown_security", /4711, 4712/, ["meta_ids"]],
    [() => ({ meta_ids: [id("A")], benchmark: "NONE" }), 404, "unknown_ticker", /NONE/, ["benchmark"]],
    [() => ({ meta_ids: [id("STOPS"), id("LATE")] }), 400, "no_common_dates", /no date in common/, ["meta_ids"]],
    [
      () => ({ meta_ids: [id("A"), id("STOPS")], start_date: dates[250] }),
      400,
      "no_common_dates",
      /^STOPS: no price/,
      ["meta_ids"],
    ],
    [
      () => ({ meta_ids: [id("A")], start_date: "2022-01-08", end_date: "2022-01-09" }),
      400,
      "no_common_dates",
      /^A: no price/,
      ["meta_ids"],
    ],
    [() => ({ meta_ids: [id("A")], end_date: "2021-01-01" }), 400, "invalid_parameter", /before/, ["end_date"]],
    [
      () => ({ meta_ids: [id("A"), id("BAD")] }),
      422,
      "unusable_price",
      new RegExp(`BAD has the price 0 on ${dates[10]}`),
      [],
    ],
    [() => ({ meta_ids: [id("A"), id("kr:000660")] }), 400, "mixed_currency", /USD and KRW/, ["currency"]],
    [
      () => ({ meta_ids: [id("A")], save_as: "x".repeat(201) }),
      400,
      "invalid_parameter",
      /200 characters/,
      ["save_as"],
    ],
    [() => ({ meta_ids: [id("A")], save_as: "a\0b" }), 400, "invalid_parameter", /U\+0000/, []],
    [() => ({ meta_ids: [] }), 400, "invalid_parameter", /empty/, ["meta_ids"]],
    [() => ({ meta_ids: [id("A")], algorithm: "best" }), 400, "invalid_parameter", /eq, dual_mmt/, ["algorithm"]],
    [() => ({ meta_ids: [id("A")], cost_bps: -1 }), 400, "invalid_parameter", /at least 0/, ["cost_bps"]],
    [() => ({ meta_ids: [id("A")], rebal_freq: "daily" }), 400, "invalid_parameter", /monthly/, ["rebal_freq"]],
    [() => ({ meta_ids: [id("A")], weights: [1] }), 400, "invalid_parameter", /weights/, ["weights"]],
  ] as const)("%s", async (request, status, code, message, fields) => {
    const problem = await problemOf(backtest(request()));
    expect(problem).toMatchObject({ status, code, fields });
    expect(problem.message).toMatch(message);
  });

  it("another currency without rates, and takes them where they are", async () => {
    const request = { meta_ids: [id("A"), id("kr:000660")], currency: "USD" };
    expect(await problemOf(backtest(request))).toMatchObject({ status: 422, code: "no_exchange_rates" });
    const rates = dates
      .slice(20)
      .map((date, index) => ({ base: "USD", quote: "KRW", rate_date: date, rate: 1200 + index }));
    await market.lake.append(market.table("tb_exchange_rates"), rates);
    const { data } = await backtest({ meta_ids: [id("kr:000660")], currency: "USD", start_date: dates[0] });
    // Before the first rate there is no price in dollars.
    expect(data.nav[0]!.trade_date).toBe(dates[20]);
    const dollars = (index: number) => quotes["kr:000660"]![index]!.adjClose! / (1200 + index - 20);
    for (const [index, { value }] of data.nav.entries()) {
      expect(value).toBeCloseTo((1000 * dollars(index + 20)) / dollars(20), 8);
    }
    const won = await backtest({ meta_ids: [id("A")], currency: "KRW", start_date: dates[20] });
    const own = await backtest({ meta_ids: [id("A")], start_date: dates[20] });
    const [last, lastOwn] = [won.data.nav.at(-1)!.value, own.data.nav.at(-1)!.value];
    expect(last / lastOwn).toBeCloseTo((1200 + dates.length - 21) / 1200, 10);
  });
});

describe("a backtest that is saved", () => {
  const request = () => ({
    meta_ids: [id("A"), id("B"), id("C")],
    cost_bps: 20,
    save_as: "Three letters",
    end_date: dates[410],
  });
  let saved: BacktestDocument;
  let portId: number;

  beforeAll(async () => {
    saved = (await backtest(request())).data;
    portId = saved.port_id!;
  });

  it("is a portfolio with relations in PostgreSQL", async () => {
    expect(portId).toBeGreaterThan(0);
    const list = (await ask("portfolio")).data;
    expect(list).toMatchObject([{ port_id: portId, port_name: "Three letters", strategy: "eq" }]);
    const { rows } = await market.relations.query("SELECT meta_id FROM tb_universe WHERE port_id = $1 ORDER BY 1", [
      portId,
    ]);
    expect(rows.map((row) => row["meta_id"])).toEqual(request().meta_ids);
    expect((await ask("portfolio.metrics", { port_id: portId })).data).toEqual([{ port_id: portId, ...saved.metrics }]);
  });

  it("has its NAV, weights, run and signals in tables when it is answered", async () => {
    const nav = await ask("portfolio.nav", { port_id: portId });
    expect(nav.data.map((row) => [row["trade_date"], row["value"]])).toEqual(
      saved.nav.map(({ trade_date: date, value }) => [date, value]),
    );
    const part = await ask("portfolio.nav", {
      port_id: portId,
      start_date: dates[100],
      end_date: dates[110],
      limit: 4,
    });
    expect(part.data.map((row) => row["trade_date"])).toEqual(dates.slice(100, 104));
    const weights = await ask("portfolio.rebalances", { port_id: portId });
    expect(weights.data).toEqual(saved.weights.map((row) => ({ ...row, port_id: portId })));
    const pages: Row[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page: MarketBody = await ask("portfolio.rebalances", {
        port_id: portId,
        limit: 7,
        ...(cursor && { cursor }),
      });
      pages.push(...page.data);
      cursor = page.page.cursor;
    }
    expect(pages).toEqual(weights.data);
  });

  it("performs as its NAV does, but for the costs of trading", async () => {
    const { data } = await ask("portfolio.performance", { port_id: portId, start_date: dates[7] });
    expect(data.map((row) => row["trade_date"])).toEqual(dates.slice(7, 411));
    expect(data[0]).toMatchObject({ portfolio_value: saved.nav[7]!.value, daily_return: null });
    // Until the next rebalance nothing is traded.
    const nextMonth = data.findIndex((row) => (row["trade_date"] as string) >= "2022-02-01");
    for (const row of data.slice(0, nextMonth)) {
      expect((row["portfolio_value"] as number) / (row["nav_value"] as number)).toBeCloseTo(1, 10);
    }
    expect(data.at(-1)!["portfolio_value"]).toBeGreaterThan(data.at(-1)!["nav_value"] as number);
  });

  it("stands beside a benchmark, that of the settings where none is named", async () => {
    const { data } = await ask("portfolio.benchmark", { port_id: portId, start_date: dates[50] });
    expect(data[0]).toMatchObject({
      trade_date: dates[50],
      ticker: "INDEX",
      value: 1000,
      nav_value: saved.nav[50]!.value,
    });
    const named = await ask("portfolio.benchmark", { port_id: portId, ticker: "B" });
    expect(named.data.length).toBe(saved.nav.length);
  });

  it("keeps its name", async () => {
    const before = (await ask("portfolio")).data;
    expect(await problemOf(backtest(request()))).toMatchObject({
      status: 409,
      code: "name_taken",
      fields: ["save_as"],
    });
    const other = await problemOf(backtest({ ...request(), meta_ids: [id("A")] }));
    expect(other.status).toBe(409);
    expect((await ask("portfolio")).data).toEqual(before);
  });

  it("is no portfolio when the broker did not take its rows, and can be tried again", async () => {
    const again = { ...request(), save_as: "Another" };
    market.failNextAppend(new StreamError("unavailable", "the broker is away"));
    expect(await problemOf(backtest(again))).toMatchObject({ status: 503, code: "broker_unavailable" });
    expect((await ask("portfolio")).data.length).toBe(1);
    const { data } = await backtest(again);
    expect(data.port_id).toBeGreaterThan(portId);
  });

  it("is 404 under a number that there is not", async () => {
    for (const question of ["nav", "rebalances", "metrics", "benchmark", "performance"]) {
      const problem = await problemOf(ask(`portfolio.${question}`, { port_id: 4711 }));
      expect(problem).toMatchObject({ status: 404, code: "unknown_portfolio", fields: ["port_id"] });
    }
  });
});

describe("a portfolio from elsewhere", () => {
  let portId: number;
  beforeAll(async () => {
    const { rows } = await market.relations.query<{ port_id: number }>(
      "INSERT INTO tb_portfolio (port_name) VALUES ('elsewhere') RETURNING port_id",
    );
    portId = rows[0]!.port_id;
    const nav = dates.slice(0, 30).map((date) => ({ trade_date: date, port_id: portId, value: 500 }));
    await market.lake.append(market.table("tb_nav"), nav);
  });
  const weigh = (date: string, weights: Record<string, number>) =>
    market.lake.upsert(
      market.table("tb_rebalance"),
      Object.entries(weights).map(([name, weight]) => ({
        rebal_date: date,
        port_id: portId,
        meta_id: id(name),
        weight,
      })),
    );

  it("has no performance without weights", async () => {
    expect((await ask("portfolio.performance", { port_id: portId })).data).toEqual([]);
  });

  it("keeps what its weights leave of 1 as cash, and is refused where they are more than 1", async () => {
    await weigh(dates[3]!, { A: 0.4 });
    const { data } = await ask("portfolio.performance", { port_id: portId });
    expect(data[0]).toMatchObject({ trade_date: dates[3], portfolio_value: 500 });
    const growth = quotes["A"]![20]!.adjClose! / quotes["A"]![3]!.adjClose!;
    expect(data[17]!["portfolio_value"]).toBeCloseTo(500 * (0.6 + 0.4 * growth), 8);
    await weigh(dates[5]!, { A: 0.7, B: 0.7 });
    const problem = await problemOf(ask("portfolio.performance", { port_id: portId }));
    expect(problem).toMatchObject({ status: 422, code: "weights_sum" });
    expect(problem.message).toContain(`on ${dates[5]} sum to 1.4`);
  });

  it("is refused where it holds what has no price yet", async () => {
    await weigh(dates[5]!, { A: 0.1, B: 0.1, LATE: 0.5 });
    const problem = await problemOf(ask("portfolio.performance", { port_id: portId }));
    expect(problem).toMatchObject({ status: 422, code: "missing_price" });
    expect(problem.message).toContain(`security ${id("LATE")} from ${dates[5]}`);
  });
});

it("rows of one asset twice on a date cannot be: the table knows them by asset and date", async () => {
  const table = market.table("us_stocks_price");
  await market.lake.upsert(table, priceRows(id("C"), [{ date: dates[50]!, adjClose: 123 }]));
  const { data } = await ask("price.daily", { ticker: "C", start_date: dates[50], end_date: dates[50] });
  expect(data).toMatchObject([{ adj_close: 123 }]);
});
