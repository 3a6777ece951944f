import { daysFromCivil } from "@firn/core";

import type { Market } from "./calendar/trading-days.ts";
import type { DailyPrice, PriceRequest, PriceSource } from "./price-source.ts";
import { SourceError, type SourceHttp } from "./source-http.ts";

/** Where Yahoo itself answers. */
export const YAHOO_BASE_URL = "https://query1.finance.yahoo.com";

const SECONDS_PER_DAY = 86_400;
/** What Yahoo calls what we call otherwise. */
const SYMBOLS: ReadonlyMap<string, string> = new Map([["SP500", "^GSPC"]]);
/** Of the Korea Exchange's two boards. */
const KOREAN_SUFFIXES = [".KS", ".KQ"] as const;
const ZONES: Readonly<Record<Market, string>> = { US: "America/New_York", KR: "Asia/Seoul" };

/** Daily prices of Yahoo's chart API (`/v8/finance/chart/SYMBOL`). */
export class YahooChart implements PriceSource {
  readonly name = "yahoo";
  readonly #baseUrl: string;
  readonly #http: SourceHttp;

  constructor(http: SourceHttp, baseUrl: string = YAHOO_BASE_URL) {
    this.#http = http;
    this.#baseUrl = baseUrl.replace(/\/+$/, "");
  }

  async daily(request: PriceRequest, signal: AbortSignal, attemptsMax?: number): Promise<readonly DailyPrice[]> {
    const symbols = symbolsOf(request);
    for (const [at, symbol] of symbols.entries()) {
      try {
        return await this.#ask(symbol, request, signal, attemptsMax);
      } catch (error) {
        const isLast = at === symbols.length - 1;
        if (isLast || !(error instanceof SourceError && error.kind === "not_found")) throw error;
      }
    }
    return [];
  }

  async #ask(symbol: string, request: PriceRequest, signal: AbortSignal, attemptsMax?: number): Promise<DailyPrice[]> {
    const url = new URL(`${this.#baseUrl}/v8/finance/chart/${encodeURIComponent(symbol)}`);
    // A day earlier and later: the borders are those of the exchange's zone.
    url.searchParams.set("period1", String((request.from - 1) * SECONDS_PER_DAY));
    url.searchParams.set("period2", String((request.to + 2) * SECONDS_PER_DAY));
    url.searchParams.set("interval", "1d");
    url.searchParams.set("events", "div,splits");
    const prices = parseChart(await this.#http.json(url, signal, attemptsMax), symbol, ZONES[request.market]);
    return prices.filter(({ day }) => day >= request.from && day <= request.to);
  }
}

function symbolsOf({ ticker, market }: PriceRequest): readonly string[] {
  if (market === "KR") return ticker.includes(".") ? [ticker] : KOREAN_SUFFIXES.map((suffix) => ticker + suffix);
  return [SYMBOLS.get(ticker) ?? ticker.replaceAll(".", "-")];
}

/** @throws SourceError `bad_answer` that says what is wrong with the answer */
function parseChart(answer: unknown, symbol: string, usualZone: string): DailyPrice[] {
  const bad = (what: string) => new SourceError("bad_answer", `the chart of ${symbol} ${what}`);
  const chart = member(answer, "chart");
  const error = member(chart, "error");
  if (error !== null && error !== undefined) {
    const text = [member(error, "code"), member(error, "description")].filter(Boolean).join(": ");
    throw new SourceError(/not found|no data/i.test(text) ? "not_found" : "refused", `${symbol}: ${text}`);
  }
  const result = asArray(member(chart, "result"))?.[0];
  if (result === undefined) throw bad("has no result");
  const stamps = asArray(member(result, "timestamp"));
  if (stamps === undefined) return [];
  const indicators = member(result, "indicators");
  const quote = asArray(member(indicators, "quote"))?.[0];
  const adjusted = asArray(member(asArray(member(indicators, "adjclose"))?.[0], "adjclose"));
  const closes = asArray(member(quote, "close"));
  const volumes = asArray(member(quote, "volume")) ?? [];
  if (closes === undefined) throw bad("has no closing prices");
  if (closes.length !== stamps.length) throw bad(`has ${stamps.length} times and ${closes.length} closing prices`);
  if (adjusted !== undefined && adjusted.length !== stamps.length)
    throw bad(`has ${stamps.length} times and ${adjusted.length} adjusted prices`);
  const zone = member(member(result, "meta"), "exchangeTimezoneName");
  const dayOf = localDays(typeof zone === "string" ? zone : usualZone);
  const byDay = new Map<number, DailyPrice>();
  for (const [at, stamp] of stamps.entries()) {
    if (typeof stamp !== "number") throw bad("has a time that is no number");
    const close = priceAt(closes[at], bad);
    const adjClose = priceAt(adjusted?.[at], bad) ?? close;
    if (close === null && adjClose === null) continue;
    const day = dayOf(stamp);
    byDay.set(day, { day, close, adjClose, volume: volumeAt(volumes[at]) });
  }
  return [...byDay.values()].sort((one, other) => one.day - other.day);
}

function priceAt(value: unknown, bad: (what: string) => SourceError): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "number" || !(value > 0)) throw bad(`has the price ${JSON.stringify(value)}`);
  return value;
}

function volumeAt(value: unknown): number | null {
  return typeof value === "number" && value >= 0 ? Math.round(value) : null;
}

/** The civil day of an instant (seconds) in a zone. */
function localDays(zone: string): (seconds: number) => number {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  return (seconds) => {
    const [year, month, day] = format
      .format(seconds * 1000)
      .split("-")
      .map(Number);
    return daysFromCivil(year!, month!, day!);
  };
}

function member(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" ? (value as Record<string, unknown>)[name] : undefined;
}

function asArray(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}
