import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { formatDate, parseDate } from "@firn/core";
import { expect, test } from "vitest";

import { isTradingDay, lastTradingDay, type Market } from "./trading-days.ts";

const sample = join(import.meta.dirname, "..", "..", "..", "..", "samples", "market", "us-prices.csv.gz");

/** Both included. */
function tradingDays(market: Market, from: string, to: string): string[] {
  const days: string[] = [];
  for (let day = parseDate(from)!; day <= parseDate(to)!; day++)
    if (isTradingDay(market, day)) days.push(formatDate(day));
  return days;
}

test("the rules of New York give just the 8,313 days that were traded from 1990 to 2022", () => {
  const lines = gunzipSync(readFileSync(sample)).toString().trim().split("\n").slice(1);
  const traded = [...new Set(lines.map((line) => line.split(",")[1]!))];
  expect(traded).toHaveLength(8_313);
  expect(tradingDays("US", "1990-01-02", "2022-12-28")).toEqual(traded);
});

test.each([
  ["2024-01-01", "New Year"],
  ["2024-02-09", "Seollal"],
  ["2024-02-12", "Seollal's substitute"],
  ["2024-03-01", "Independence Movement Day"],
  ["2024-04-10", "an election"],
  ["2024-05-01", "Labour Day"],
  ["2024-05-06", "Children's Day's substitute"],
  ["2024-05-15", "Buddha's birthday"],
  ["2024-06-06", "Memorial Day"],
  ["2024-08-15", "Liberation Day"],
  ["2024-09-16", "Chuseok"],
  ["2024-09-18", "Chuseok"],
  ["2024-10-03", "Foundation Day"],
  ["2024-10-09", "Hangul Day"],
  ["2024-12-25", "Christmas"],
  ["2024-12-31", "the last day of the year"],
  ["2023-01-24", "Seollal's substitute"],
  ["2023-05-29", "Buddha's birthday's substitute"],
  ["2022-10-10", "Hangul Day's substitute"],
])("Seoul is shut on %s: %s", (date) => {
  expect(isTradingDay("KR", parseDate(date)!)).toBe(false);
});

test.each([
  ["2024", 244],
  ["2023", 245],
  ["2022", 246],
  ["2021", 248],
  ["2020", 248],
  ["2019", 246],
])("Seoul traded in %s on %i days", (year, days) => {
  expect(tradingDays("KR", `${year}-01-01`, `${year}-12-31`)).toHaveLength(days);
});

test("the last trading day of a Sunday is the Friday before, where that is one", () => {
  expect(formatDate(lastTradingDay("US", parseDate("2024-03-31")!))).toBe("2024-03-28");
});
