// Makes samples/market from the data sets of the skfolio project (BSD-3-Clause): wide tables of adjusted closes become
// rows as `firn import prices` takes them, by date and ticker.
// Usage: node tools/make-market-sample.mjs SOURCE_FOLDER
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { helpIfAsked } from "./script-options.mjs";

const SOURCES = ["us-20-adjusted-close-1990-2022.csv.gz", "sp500-index-1990-2022.csv.gz"];
const target = join(import.meta.dirname, "..", "samples", "market");

helpIfAsked();
const source = process.argv[2];
if (source === undefined) {
  console.error("usage: node tools/make-market-sample.mjs SOURCE_FOLDER");
  process.exit(2);
}
const rows = SOURCES.flatMap((file) => {
  const [header, ...lines] = gunzipSync(readFileSync(join(source, file)))
    .toString()
    .trim()
    .split("\n");
  const tickers = header.split(",").slice(1);
  return lines.flatMap((line) => {
    const [date, ...prices] = line.split(",");
    return tickers.map((ticker, at) => ({ ticker: ticker.trim(), date, price: prices[at].trim() }));
  });
});
rows.sort((one, other) => (one.date + one.ticker < other.date + other.ticker ? -1 : 1));
const text = `ticker,trade_date,close,adj_close,volume\n${rows
  .map(({ ticker, date, price }) => `${ticker},${date},${price},${price},\n`)
  .join("")}`;
writeFileSync(join(target, "us-prices.csv.gz"), gzipSync(text, { level: 9 }));
const sum = createHash("sha256").update(text).digest("hex");
writeFileSync(join(target, "SHA256SUMS"), `${sum}  us-prices.csv\n`);
console.log(`${rows.length} rows`);
