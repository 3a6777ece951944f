import { formatDate } from "@firn/core";

import type { MarketRow } from "../market-sender.ts";
import { isTradingDay, type Market } from "./trading-days.ts";

/** Rows of tb_calendar: every day from one to another, open or not. */
export function calendarRows(market: Market, from: number, to: number): MarketRow[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => ({
    iso_code: market,
    trade_date: formatDate(from + at),
    is_open: isTradingDay(market, from + at),
  }));
}
