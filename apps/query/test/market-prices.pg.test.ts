import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { marketLake, priceRows, walk, weekdays, type MarketBody, type MarketLake, type Quote } from "./market-lake.ts";
import type { Row } from "./small-lake.ts";

const dates = weekdays("2023-11-20", 120);
const usDates = dates.filter((_, index) => index % 17 !== 4);
const krDates = dates.filter((_, index) => index % 13 !== 6);
const quotes: Record<string, readonly Quote[]> = {
  ALFA: walk(1, usDates),
  BETA: walk(2, usDates.slice(30)),
  DUAL: walk(3, usDates),
  EMPTY: [],
  "kr:005930": walk(4, krDates, 70_000),
  "kr:DUAL": walk(5, krDates, 900),
};

let market: MarketLake;
const ask: MarketLake["ask"] = (...asked) => market.ask(...asked);

beforeAll(async () => {
  market = await marketLake(quotes);
}, 120_000);
afterAll(() => market?.close());

async function problemOf(asked: Promise<unknown>): Promise<{ status: number; code: string; fields: string[] }> {
  try {
    await asked;
  } catch (error) {
    const { status, code, errors = [] } = error as { status: number; code: string; errors?: { field: string }[] };
    return { status, code, fields: errors.map((one) => one.field) };
  }
  throw new Error("the question was answered");
}

describe("securities", () => {
  it("are listed by number, whole or page by page, and by market", async () => {
    const { data } = await ask("meta");
    expect(data.map((row) => row["ticker"])).toEqual(["ALFA", "BETA", "DUAL", "EMPTY", "005930", "DUAL"]);
    expect(Object.keys(data[0]!)).toEqual([
      ...["meta_id", "ticker", "name", "isin", "security_type", "asset_class", "sector", "iso_code"],
      ...["marketcap", "fee", "min_date", "max_date"],
    ]);
    const first = await ask("meta.tickers", { limit: 4 });
    const second = await ask("meta.tickers", { limit: 4, cursor: first.page.cursor });
    expect([...first.data, ...second.data].map((row) => row["ticker"])).toEqual(data.map((row) => row["ticker"]));
    expect(second.page.cursor).toBeNull();
    expect((await ask("meta.tickers", { market: "kr" })).data.map((row) => row["iso_code"])).toEqual(["KR", "KR"]);
  });

  it("are found by number, 404 where there is none", async () => {
    const id = market.ids["kr:005930"]!;
    expect((await ask("meta.security", { meta_id: String(id) })).data).toMatchObject([
      { meta_id: id, ticker: "005930" },
    ]);
    const problem = await problemOf(ask("meta.security", { meta_id: 4711 }));
    expect(problem).toEqual({ status: 404, code: "unknown_security", fields: ["meta_id"] });
  });

  it("of the past come from the mirror", async () => {
    await market.lake.append(market.table("tb_meta"), [
      { meta_id: 1, ticker: "OLD", iso_code: "US", updated_at: "2026-06-01T00:00:00Z" },
    ]);
    const past = await ask("meta", { as_of: "2099-01-01T00:00:00Z" });
    expect(past.data).toMatchObject([{ ticker: "OLD" }]);
    expect(Object.keys(past.meta.tables)).toEqual(["reference.tb_meta"]);
  });
});

describe("daily prices", () => {
  it("are the stored rows of a ticker in a range of dates", async () => {
    const range = { start_date: "2023-12-25", end_date: "2024-02-03" };
    const { data, meta } = await ask("price.daily", { ticker: "ALFA", ...range });
    const expected = priceRows(market.ids["ALFA"]!, quotes["ALFA"]!).filter(
      (row) => (row["trade_date"] as string) >= range.start_date && (row["trade_date"] as string) <= range.end_date,
    );
    expect(data).toEqual(expected.map((row) => ({ ticker: "ALFA", ...row })));
    expect(Object.keys(meta.tables)).toEqual(["market_data.us_stocks_price"]);
  });

  it("come in pages, whatever their size", async () => {
    for (const limit of [7, 60, 600]) {
      const rows: Row[] = [];
      let cursor: string | null = null;
      do {
        const page: MarketBody = await ask("price.daily", { ticker: "005930", limit, ...(cursor && { cursor }) });
        rows.push(...page.data);
        cursor = page.page.cursor;
      } while (cursor !== null);
      expect(rows.map((row) => row["trade_date"])).toEqual(krDates);
    }
  });

  it("of a ticker that both markets have need the market", async () => {
    const asked = { ticker: "DUAL" };
    const problem = await problemOf(ask("price.daily", asked));
    expect(problem).toEqual({ status: 400, code: "ambiguous_ticker", fields: ["ticker"] });
    const us = await ask("price.daily", { ...asked, market: "us" });
    const kr = await ask("price.daily", { ...asked, market: "kr" });
    expect([us.data.length, kr.data.length]).toEqual([usDates.length, krDates.length]);
    expect(us.data[0]!["meta_id"]).toBe(market.ids["DUAL"]);
  });

  it.each([
    [{ ticker: "NOBODY" }, 404, "unknown_ticker", ["ticker"]],
    [{ ticker: "005930", market: "us" }, 404, "unknown_ticker", ["ticker"]],
    [{ ticker: "ALFA", start_date: "2024-02-01", end_date: "2024-01-01" }, 400, "invalid_parameter", ["end_date"]],
    [{ ticker: "ALFA", start_date: "2024-02-30" }, 400, "invalid_parameter", ["start_date"]],
    [{ ticker: "ALFA", since: "2024-02-01" }, 400, "invalid_parameter", ["since"]],
    [{}, 400, "invalid_parameter", ["ticker"]],
    [{ ticker: "ALFA", market: "de" }, 400, "invalid_parameter", ["market"]],
    [{ ticker: "ALFA", cursor: "bm9uc2Vuc2U" }, 400, "invalid_parameter", ["cursor"]],
    [{ ticker: "ALFA", snapshot_id: "1" }, 400, "unknown_snapshot", ["snapshot_id"]],
  ])("refuse %j with %i %s", async (parameters, status, code, fields) => {
    expect(await problemOf(ask("price.daily", parameters))).toEqual({ status, code, fields });
  });

  it("without data are an empty list, also on days without trading", async () => {
    expect((await ask("price.daily", { ticker: "EMPTY" })).data).toEqual([]);
    const weekend = { start_date: "2023-12-02", end_date: "2023-12-03" };
    expect((await ask("price.daily", { ticker: "ALFA", ...weekend })).data).toEqual([]);
  });

  it("asked again come from the cache, until the table changes", async () => {
    const asked = { ticker: "BETA", limit: 9 };
    const first = await ask("price.daily", asked);
    const second = await ask("price.daily", asked);
    expect([first.stats.cached, second.stats.cached]).toEqual([false, true]);
    expect(second.data).toEqual(first.data);
    const later = { date: "2030-01-02", adjClose: 1 };
    await market.lake.append(market.table("us_stocks_price"), priceRows(market.ids["BETA"]!, [later]));
    expect((await ask("price.daily", asked)).stats.cached).toBe(false);
    const before = { snapshot_id: first.meta.tables["market_data.us_stocks_price"]!.snapshot_id };
    expect((await ask("price.daily", { ticker: "BETA", ...before })).data.length).toBe(usDates.length - 30);
  });
});

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]) =>
  values.length < 2
    ? null
    : Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));
const numbersOf = (rows: readonly Row[], name: string) =>
  rows.map((row) => row[name]).filter((value): value is number => typeof value === "number");
const near = (actual: unknown, expected: number | null) =>
  expected === null ? expect(actual).toBeNull() : expect(actual as number).toBeCloseTo(expected, 9);

describe("statistics of tickers", () => {
  const range = { start_date: "2023-12-11", end_date: "2024-03-15" };
  const inRange = (name: string) =>
    priceRows(0, quotes[name]!).filter(
      (row) => (row["trade_date"] as string) >= range.start_date && (row["trade_date"] as string) <= range.end_date,
    );

  it("by month are means and deviations of both markets' tickers", async () => {
    const { data, meta } = await ask("price.monthly", { tickers: "BETA,005930,ALFA", ...range });
    const expected = (["kr:005930", "ALFA", "BETA"] as const).flatMap((name) => {
      const months = new Map<string, Row[]>();
      for (const row of inRange(name)) {
        const month = `${(row["trade_date"] as string).slice(0, 7)}-01`;
        months.set(month, [...(months.get(month) ?? []), row]);
      }
      return [...months].map(([month, rows]) => ({ ticker: name.replace("kr:", ""), month, rows }));
    });
    expect(data.map((row) => [row["ticker"], row["month"]])).toEqual(expected.map((row) => [row.ticker, row.month]));
    for (const [index, { rows }] of expected.entries()) {
      near(data[index]!["avg_price"], mean(numbersOf(rows, "adj_close")));
      near(data[index]!["volatility"], deviation(numbersOf(rows, "gross_return")));
    }
    expect(Object.keys(meta.tables).sort()).toEqual(["market_data.kr_stocks_price", "market_data.us_stocks_price"]);
  });

  it("by month come in pages of one state of both tables", async () => {
    const asked = { tickers: ["ALFA", "005930"], limit: 3, ...range };
    const whole = (await ask("price.monthly", { ...asked, limit: 100 })).data;
    const first = await ask("price.monthly", asked);
    const second = await ask("price.monthly", { ...asked, limit: 100, cursor: first.page.cursor });
    expect([...first.data, ...second.data]).toEqual(whole);
    const other = await problemOf(ask("price.monthly", { ...asked, tickers: "ALFA", cursor: first.page.cursor }));
    expect(other).toEqual({ status: 400, code: "invalid_parameter", fields: ["cursor"] });
    const garbage = await problemOf(ask("price.monthly", { ...asked, cursor: "bm9uc2Vuc2U" }));
    expect(garbage.fields).toEqual(["cursor"]);
  });

  it("over a range count its days and have its extremes", async () => {
    const { data } = await ask("price.aggregate", { tickers: "ALFA,005930,EMPTY", ...range });
    expect(data.map((row) => row["ticker"])).toEqual(["005930", "ALFA"]);
    for (const [row, name] of [[data[0]!, "kr:005930"] as const, [data[1]!, "ALFA"] as const]) {
      const [prices, returns] = [numbersOf(inRange(name), "adj_close"), numbersOf(inRange(name), "gross_return")];
      expect(row).toMatchObject({
        trading_days: prices.length,
        min_price: Math.min(...prices),
        max_price: Math.max(...prices),
      });
      near((row["avg_price"] as number) / mean(prices), 1);
      near((row["price_std"] as number) / deviation(prices)!, 1);
      near(row["avg_return"], mean(returns));
      near(row["volatility"], deviation(returns));
    }
  });

  it("name every unknown and ambiguous ticker, and need a start", async () => {
    const unknown = await problemOf(ask("price.aggregate", { tickers: "ALFA,NO,NEITHER", ...range }));
    expect(unknown).toEqual({ status: 404, code: "unknown_ticker", fields: ["tickers"] });
    expect((await problemOf(ask("price.monthly", { tickers: "DUAL" }))).code).toBe("ambiguous_ticker");
    expect((await problemOf(ask("price.aggregate", { tickers: "ALFA" }))).fields).toEqual(["start_date"]);
    const two = { tickers: "ALFA,005930", ...range, snapshot_id: "1" };
    expect((await problemOf(ask("price.aggregate", two))).fields).toEqual(["snapshot_id"]);
  });
});

describe("two markets", () => {
  it("stand side by side on every date on which either traded, with the correlation of 20 common dates", async () => {
    const { data } = await ask("price.cross-market", { us_ticker: "ALFA", kr_ticker: "005930" });
    expect(data.map((row) => row["trade_date"])).toEqual([...new Set([...usDates, ...krDates])].sort());
    const both: Row[] = [];
    for (const row of data) {
      if (row["us_return"] !== null && row["kr_return"] !== null) both.push(row);
      const last = both.slice(-20);
      if (last.length < 20) expect(row["correlation"]).toBeNull();
      else near(row["correlation"], pearson(numbersOf(last, "us_return"), numbersOf(last, "kr_return")));
    }
    expect(both.length).toBeGreaterThan(60);
  });

  it("pair a US date with the next Korean one at lag 1", async () => {
    const { data } = await ask("price.cross-market", { us_ticker: "ALFA", kr_ticker: "005930", lag: 1 });
    const prices = new Map(quotes["kr:005930"]!.map((quote) => [quote.date, quote.adjClose]));
    for (const row of data.filter((one) => one["us_price"] !== null)) {
      const next = krDates.find((date) => date > (row["trade_date"] as string));
      expect(row["kr_price"]).toBe(next === undefined ? null : prices.get(next));
    }
  });

  it("need a ticker of each", async () => {
    const swapped = await problemOf(ask("price.cross-market", { us_ticker: "005930", kr_ticker: "ALFA" }));
    expect(swapped).toEqual({ status: 404, code: "unknown_ticker", fields: ["us_ticker"] });
    const lag = await problemOf(ask("price.cross-market", { us_ticker: "ALFA", kr_ticker: "005930", lag: 2 }));
    expect(lag.fields).toEqual(["lag"]);
  });
});

function pearson(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [mean(one), mean(other)];
  const covariance = one.reduce((sum, value, index) => sum + (value - a) * (other[index]! - b), 0) / (one.length - 1);
  return covariance / (deviation(one)! * deviation(other)!);
}

describe("regimes", () => {
  it("are the quadrants of the macro series, of a range of months", async () => {
    const { rows } = await market.relations.query<{ macro_id: number; fred: string }>(
      "SELECT macro_id, fred FROM tb_macro",
    );
    const idOf = (fred: string) => rows.find((row) => row.fred === fred)!.macro_id;
    const months = Array.from({ length: 30 }, (_, index) => index);
    const values = {
      CPIAUCSL: months.map((index) => 100 * 1.01 ** (index ** 1.5 / 5)),
      USALOLITOAASTSAM: months.map((index) => 100 + Math.sin(index / 3)),
    };
    const date = (index: number) => `${2020 + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, "0")}-01`;
    expect((await ask("regime")).data).toEqual([]);
    for (const [fred, list] of Object.entries(values)) {
      const own = list.map((value, index) => ({ macro_id: idOf(fred), base_date: date(index), value }));
      await market.lake.append(market.table("tb_macro_data"), own);
    }
    const { data } = await ask("regime");
    expect(data[0]!["month"]).toBe(date(16));
    expect(data.length).toBe(15);
    for (const row of data) {
      const known = months.find((index) => date(index + 1) === row["month"])!;
      const growth = values.USALOLITOAASTSAM[known]! - values.USALOLITOAASTSAM[known - 3]!;
      const yearly = (index: number) => values.CPIAUCSL[index]! / values.CPIAUCSL[index - 12]! - 1;
      near(row["growth_change"], growth);
      near(row["inflation_change"], yearly(known) - yearly(known - 3));
      expect(row["regime"]).toBe(growth > 0 ? "Reflation" : "Stagflation");
    }
    const part = await ask("regime", { start_date: "2021-08-20", end_date: "2021-10-01" });
    expect(part.data.map((row) => row["month"])).toEqual(["2021-08-01", "2021-09-01", "2021-10-01"]);
  });
});

it("questions have a subject by name and, where their path has no parameters, by path", async () => {
  expect((await ask("regime.list")).data).toEqual((await ask("regime")).data);
  expect((await ask("market.errors")).data).toEqual([]);
});
