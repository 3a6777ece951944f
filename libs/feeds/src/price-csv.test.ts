import { expect, test } from "vitest";

import { HeaderError } from "./csv-records.ts";
import { readPriceCsv, type CsvPrice } from "./price-csv.ts";

const HEADER = "ticker,trade_date,close,adj_close,volume";

async function read(text: string | Buffer, chunkBytes = 7): Promise<CsvPrice[]> {
  const bytes = Buffer.from(text);
  const found: CsvPrice[] = [];
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes)
      yield await Promise.resolve(bytes.subarray(at, at + chunkBytes));
  }
  for await (const one of readPriceCsv(chunks())) found.push(one);
  return found;
}

const AAPL = { ticker: "AAPL", tradeDate: "2024-01-02", close: 185.64, adjClose: 184.9, volume: 82488700 };

test.each([
  ["LF", `${HEADER}\nAAPL,2024-01-02,185.64,184.9,82488700\n`],
  ["CRLF", `${HEADER}\r\nAAPL,2024-01-02,185.64,184.9,82488700\r\n`],
  ["CR", `${HEADER}\rAAPL,2024-01-02,185.64,184.9,82488700`],
  ["line ends that change", `${HEADER}\r\n\nAAPL,2024-01-02,185.64,184.9,82488700\r\n`],
  ["a byte order mark", `\uFEFF${HEADER}\nAAPL,2024-01-02,185.64,184.9,82488700\n`],
  ["quotes", `"ticker","trade_date","close","adj_close","volume"\n"AAPL","2024-01-02","185.64","184.9","82488700"\n`],
  ["another order of columns", `volume,ticker,close,adj_close,trade_date\n82488700,AAPL,185.64,184.9,2024-01-02\n`],
  ["blanks around fields", `${HEADER}\nAAPL , 2024-01-02, 185.64,184.9 ,82488700\n`],
])("reads %s", async (_, text) => {
  expect((await read(text)).map((one) => one.kind === "price" && one.price)).toEqual([AAPL]);
});

test("an empty field is no value", async () => {
  const [one] = await read(`${HEADER}\n005930,2024-01-02,,71000,\n`);
  expect(one).toMatchObject({ price: { ticker: "005930", close: null, adjClose: 71000, volume: null } });
});

test.each([
  [",2024-01-02,1,1,1", "ticker", "text"],
  ["A B,2024-01-02,1,1,1", "ticker", "text"],
  ["A,2024-02-30,1,1,1", "trade_date", "date"],
  ["A,02/01/2024,1,1,1", "trade_date", "date"],
  ["A,2024-01-02,0,1,1", "close", "positive"],
  ["A,2024-01-02,1,-1,1", "adj_close", "positive"],
  ["A,2024-01-02,1,NaN,1", "adj_close", "number"],
  ['A,2024-01-02,"1,5",1,1', "close", "number"],
  ["A,2024-01-02,1,1,1.5", "volume", "whole number"],
  ["A,2024-01-02,1,1,-1", "volume", "whole number"],
  ["A,2024-01-02,,,1", "close", "required"],
  ["A,2024-01-02,1,1", "record", "columns"],
  ["A,2024-01-02,1,1,1,1", "record", "columns"],
  ['A,2024-01-02,1"2,1,1', "record", "csv"],
])("a row that breaks a rule is told by its line and rule, the others are read: %s", async (row, field, rule) => {
  const found = await read(`${HEADER}\nB,2024-01-02,1,1,1\n${row}\nC,2024-01-02,1,1,1\n`);
  expect(found.flatMap((one) => (one.kind === "price" ? [one.price.ticker] : []))).toEqual(["B", "C"]);
  expect(found.flatMap((one) => (one.kind === "bad" ? [one.bad] : []))).toMatchObject([{ line: 3, field, rule }]);
});

test("a quote that is never closed costs its own record and those it swallows, and is told", async () => {
  const found = await read(`${HEADER}\nB,2024-01-02,1,1,1\n"A,2024-01-02,1,1,1\nC,2024-01-02,1,1,1\n`);
  expect(found.filter((one) => one.kind === "price")).toHaveLength(1);
  expect(found.filter((one) => one.kind === "bad")).toHaveLength(1);
});

test.each(["", "date,open\n1,2\n", "ticker,trade_date,close,adj_close\n", `${HEADER},extra\n`])(
  "a file with another header is refused: %j",
  async (text) => {
    await expect(read(text)).rejects.toThrow(HeaderError);
  },
);
