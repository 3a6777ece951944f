import { parseDate } from "@firn/core";

import { emptyFile, HeaderError, readCsvRecords, type SkippedRecord } from "./csv-records.ts";

/** A day of one security as a source has it: not yet named by its meta_id. */
export interface PriceRow {
  readonly ticker: string;
  /** YYYY-MM-DD */
  readonly tradeDate: string;
  readonly close: number | null;
  readonly adjClose: number | null;
  readonly volume: number | null;
}

export interface BadRow {
  /** Of the file, from 1; a record that spans lines is named by its last. */
  readonly line: number;
  readonly field: string;
  readonly rule: string;
  readonly message: string;
}

export type CsvPrice =
  | { readonly kind: "price"; readonly line: number; readonly price: PriceRow }
  | { readonly kind: "bad"; readonly bad: BadRow };

export const PRICE_HEADER = ["ticker", "trade_date", "close", "adj_close", "volume"] as const;
type PriceColumn = (typeof PRICE_HEADER)[number];

const TICKER_LENGTH_MAX = 32;
const YEAR_MIN = 1900;
const YEAR_MAX = 2199;

/**
 * Reads prices from CSV: the columns of `PRICE_HEADER` in any order, a byte order mark, LF, CRLF or CR, and quotes. An
 * empty field is no value. A record that breaks a rule is answered as such, and the reading goes on.
 * @throws HeaderError when the first line is another
 */
export async function* readPriceCsv(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<CsvPrice> {
  const skipped: BadRow[] = [];
  let places: ReadonlyMap<PriceColumn, number> | undefined;
  for await (const { fields, line } of readCsvRecords(chunks, (record) => skipped.push(unreadable(record)))) {
    for (const bad of skipped.splice(0)) yield { kind: "bad", bad };
    if (places === undefined) places = parseHeader(fields);
    else yield readRecord(fields, places, line);
  }
  if (places === undefined) throw emptyFile();
  for (const bad of skipped.splice(0)) yield { kind: "bad", bad };
}

function parseHeader(record: readonly string[]): ReadonlyMap<PriceColumn, number> {
  const names = record.map((name) => name.toLowerCase());
  const places = new Map(PRICE_HEADER.map((name) => [name, names.indexOf(name)]));
  const missing = PRICE_HEADER.filter((name) => places.get(name) === -1);
  const unknown = names.filter((name, at) => !places.has(name as PriceColumn) || names.indexOf(name) !== at);
  if (missing.length === 0 && unknown.length === 0) return places;
  const found = JSON.stringify(record.join(",").slice(0, 200));
  throw new HeaderError(`the first line is ${found}: it must be ${PRICE_HEADER.join(",")}`);
}

function readRecord(record: readonly string[], places: ReadonlyMap<PriceColumn, number>, line: number): CsvPrice {
  const bad = (field: string, rule: string, message: string): CsvPrice => ({
    kind: "bad",
    bad: { line, field, rule, message },
  });
  if (record.length !== places.size) {
    return bad("record", "columns", `has ${record.length} fields: it must have ${places.size}`);
  }
  const text = (column: PriceColumn) => record[places.get(column)!]!;
  const shown = (column: PriceColumn) => JSON.stringify(text(column).slice(0, 64));
  if (!isTicker(text("ticker"))) {
    return bad("ticker", "text", `ticker is ${shown("ticker")}: it must have 1 to ${TICKER_LENGTH_MAX} characters`);
  }
  if (!isDate(text("trade_date"))) {
    const rule = `a day YYYY-MM-DD between ${YEAR_MIN} and ${YEAR_MAX}`;
    return bad("trade_date", "date", `trade_date is ${shown("trade_date")}: it must be ${rule}`);
  }
  for (const column of ["close", "adj_close"] as const) {
    const value = numberOf(text(column));
    if (value !== null && !Number.isFinite(value)) {
      return bad(column, "number", `${column} is ${shown(column)}: it must be a number`);
    }
    if (value !== null && value <= 0) {
      return bad(column, "positive", `${column} is ${shown(column)}: it must be greater than 0`);
    }
  }
  const volume = numberOf(text("volume"));
  if (volume !== null && !(Number.isSafeInteger(volume) && volume >= 0)) {
    return bad("volume", "whole number", `volume is ${shown("volume")}: it must be a whole number of at least 0`);
  }
  const [close, adjClose] = [numberOf(text("close")), numberOf(text("adj_close"))];
  if (close === null && adjClose === null) {
    return bad("close", "required", "close and adj_close are both empty: one of them must be given");
  }
  return {
    kind: "price",
    line,
    price: { ticker: text("ticker"), tradeDate: text("trade_date"), close, adjClose, volume },
  };
}

function isTicker(text: string): boolean {
  return text !== "" && text.length <= TICKER_LENGTH_MAX && /^[^\p{C}\s]+$/u.test(text);
}

function isDate(text: string): boolean {
  const year = Number(text.slice(0, 4));
  return parseDate(text) !== undefined && year >= YEAR_MIN && year <= YEAR_MAX;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Null for no value, NaN for a text that is no number. */
function numberOf(text: string): number | null {
  if (text === "") return null;
  return NUMBER.test(text) ? Number(text) : Number.NaN;
}

function unreadable({ line, why, message }: SkippedRecord): BadRow {
  return { line, field: "record", rule: "csv", message: `${why}: ${message}` };
}
