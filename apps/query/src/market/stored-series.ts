import { columnValues, type AnswerTable } from "@firn/core";
import type { PriceSeries } from "@firn/finance";

/** Prices of one security by date; days without an adjusted price were none of trading. */
export function priceSeries(table: AnswerTable): PriceSeries {
  return (
    seriesBy(
      columnValues(table, "trade_date").map(() => 0),
      table,
    ).get(0) ?? { dates: [], prices: [] }
  );
}

/** Prices by security, of rows by date. */
export function priceSeriesById(table: AnswerTable): Map<number, PriceSeries> {
  return seriesBy(columnValues(table, "meta_id") as readonly number[], table);
}

function seriesBy(keys: readonly number[], table: AnswerTable): Map<number, PriceSeries> {
  const dates = columnValues(table, "trade_date") as readonly number[];
  const prices = columnValues(table, "adj_close") as readonly (number | null)[];
  const series = new Map<number, { dates: number[]; prices: number[] }>();
  for (const [index, key] of keys.entries()) {
    const price = prices[index];
    if (price === null || price === undefined) continue;
    const own = series.get(key) ?? { dates: [], prices: [] };
    series.set(key, own);
    own.dates.push(dates[index]!);
    own.prices.push(price);
  }
  return series;
}
