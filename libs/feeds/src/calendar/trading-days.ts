import { isOpenInSeoul } from "./kr-calendar.ts";
import { isOpenInNewYork } from "./us-calendar.ts";

export type Market = "US" | "KR";

/** Whether a market trades on a day, days since 1970-01-01, by the rules of its exchange. */
export function isTradingDay(market: Market, day: number): boolean {
  return market === "US" ? isOpenInNewYork(day) : isOpenInSeoul(day);
}

/** The last trading day up to and including a day. */
export function lastTradingDay(market: Market, day: number): number {
  let found = day;
  while (!isTradingDay(market, found)) found--;
  return found;
}
