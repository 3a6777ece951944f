import { formatDate } from "@firn/core";
import { type DateRange, listSecurities, type Queryable, type Security, widenDateRanges } from "@firn/relational";

import { calendarRows } from "./calendar/calendar-rows.ts";
import { isTradingDay, lastTradingDay, type Market } from "./calendar/trading-days.ts";
import { chainAdjusted, type StoredPrice } from "./chain-adjusted.ts";
import type { JobReport } from "./job-report.ts";
import type { MarketRow, MarketSender } from "./market-sender.ts";
import type { DailyPrice, PriceSource } from "./price-source.ts";
import { SourceError } from "./source-http.ts";

/** Looks up prices that the lake has: those of a security from one day to another. */
export interface StoredPrices {
  between(security: Security, from: number, to: number, signal: AbortSignal): Promise<readonly StoredPrice[]>;
}

export interface PriceJobParts {
  readonly market: Market;
  readonly source: PriceSource;
  readonly stored: StoredPrices;
  readonly sender: MarketSender;
  readonly database: Queryable;
  readonly signal: AbortSignal;
}

/** Days since 1970-01-01, both included; without `from` each security goes on behind its last stored day. */
export interface JobRange {
  readonly from: number | undefined;
  readonly to: number;
}

/** How far back a security is fetched that has no prices yet. */
const HISTORY_DAYS = 3_650;
/** Where the last stored price is looked for: longer than any closure of an exchange. */
const ANCHOR_DAYS = 21;
/** Securities that are asked for together. */
const BATCH = 8;

/**
 * Fetches and stores the daily prices of a market's securities. They are asked for in batches, one try each; those that
 * failed are asked for again one by one, with patience. One that fails for good is reported, and the others are stored.
 */
export async function runPriceJob({ from, to }: JobRange, parts: PriceJobParts): Promise<JobReport> {
  const { database, market, sender, signal } = parts;
  const securities = await listSecurities(database, { isoCode: market });
  const last = lastTradingDay(market, to);
  const failed: { subject: string; reason: string }[] = [];
  let rows = 0;
  let upToDate = 0;
  const calendarFrom = from ?? last - 31;
  await sender.send("tb_calendar", calendarRows(market, calendarFrom, last + 366), signal);
  for (let at = 0; at < securities.length; at += BATCH) {
    const batch = securities.slice(at, at + BATCH);
    const first = await Promise.all(batch.map((security) => fetchOne(security, { from, to: last }, parts, 1)));
    const found: Fetched[] = [];
    for (const outcome of first) {
      signal.throwIfAborted();
      const again = outcome.kind === "failed" && outcome.mayPass;
      found.push(again ? await fetchOne(outcome.security, { from, to: last }, parts, undefined) : outcome);
    }
    const stored = found.flatMap((outcome) => (outcome.kind === "prices" ? outcome.rows : []));
    await sender.send(`${market.toLowerCase()}_stocks_price`, stored, signal);
    await widenDateRanges(database, found.flatMap(rangeOf));
    rows += stored.length;
    upToDate += found.filter((outcome) => outcome.kind === "up_to_date").length;
    for (const outcome of found)
      if (outcome.kind === "failed") failed.push({ subject: outcome.security.ticker, reason: outcome.reason });
  }
  return { job: `${market.toLowerCase()}-price`, subjects: securities.length, rows, up_to_date: upToDate, failed };
}

type Fetched =
  | { readonly kind: "prices"; readonly security: Security; readonly rows: readonly MarketRow[] }
  | { readonly kind: "up_to_date"; readonly security: Security }
  | { readonly kind: "failed"; readonly security: Security; readonly reason: string; readonly mayPass: boolean };

async function fetchOne(
  security: Security,
  range: JobRange,
  { market, signal, source, stored }: PriceJobParts,
  attemptsMax: number | undefined,
): Promise<Fetched> {
  const from = range.from ?? dayAfter(security.max_date) ?? range.to - HISTORY_DAYS;
  if (from > range.to || !hasTradingDay(market, from, range.to)) return { kind: "up_to_date", security };
  const request = { ticker: security.ticker, market, from: from - ANCHOR_DAYS, to: range.to };
  try {
    const fresh = await source.daily(request, signal, attemptsMax);
    const anchors = await stored.between(security, from - ANCHOR_DAYS, from - 1, signal);
    const prices = chainAdjusted(fresh, anchors, from);
    if (prices.length > 0) return { kind: "prices", security, rows: prices.map((price) => rowOf(security, price)) };
    const reason = `${source.name} has no price from ${formatDate(from)} to ${formatDate(range.to)}`;
    return { kind: "failed", security, reason, mayPass: false };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SourceError)) throw error;
    return { kind: "failed", security, reason: error.message, mayPass: error.kind === "unavailable" };
  }
}

function rowOf({ meta_id }: Security, { adjClose, close, day, volume }: DailyPrice): MarketRow {
  return { meta_id, trade_date: formatDate(day), close, adj_close: adjClose, volume };
}

function rangeOf(outcome: Fetched): DateRange[] {
  if (outcome.kind !== "prices") return [];
  const dates = outcome.rows.map((row) => String(row["trade_date"])).sort();
  return [{ metaId: outcome.security.meta_id, minDate: dates[0]!, maxDate: dates.at(-1)! }];
}

function hasTradingDay(market: Market, from: number, to: number): boolean {
  for (let day = from; day <= to; day++) if (isTradingDay(market, day)) return true;
  return false;
}

function dayAfter(date: string | null): number | undefined {
  return date === null ? undefined : Date.parse(`${date}T00:00:00Z`) / 86_400_000 + 1;
}
