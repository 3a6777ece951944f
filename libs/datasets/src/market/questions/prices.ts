import { defineQuestion, type AnswerColumn } from "@firn/core";
import { errorsQuestion } from "../../questions/errors.ts";
import { cursor, ordered, wholeRange } from "../../questions/shared-parameters.ts";
import { market, REFUSALS, tradingRange } from "./market-parameters.ts";

/** Questions of the market lake about securities, prices and regimes. */

const { startDate, endDate } = tradingRange;
const tickers = {
  name: "tickers",
  kind: "texts",
  required: true,
  itemsMax: 100,
  doc: "Tickers, separated by commas.",
  example: "AAPL,MSFT",
} as const;

const META_COLUMNS = [
  { name: "meta_id", type: "int" },
  { name: "ticker", type: "string" },
  { name: "name", type: "string", optional: true },
  { name: "isin", type: "string", optional: true },
  { name: "security_type", type: "string", optional: true },
  { name: "asset_class", type: "string", optional: true },
  { name: "sector", type: "string", optional: true },
  { name: "iso_code", type: "string", doc: "US or KR." },
  { name: "marketcap", type: "double", optional: true },
  { name: "fee", type: "double", optional: true },
  { name: "min_date", type: "date", optional: true, doc: "First day with a stored price." },
  { name: "max_date", type: "date", optional: true },
] as const satisfies readonly AnswerColumn[];

const inMarket = { ...market, doc: "Only securities of this market." } as const;

export const metaList = defineQuestion({
  dataset: "meta",
  name: "list",
  lake: "market",
  refusals: REFUSALS,
  path: "meta",
  summary: "Securities",
  doc: "Every security, from PostgreSQL; of the past from its mirror, reference.tb_meta.",
  parameters: [inMarket, wholeRange, cursor],
  rules: [],
  columns: META_COLUMNS,
  order: "meta_id",
});

export const metaTickers = defineQuestion({
  dataset: "meta",
  name: "tickers",
  lake: "market",
  refusals: REFUSALS,
  summary: "Tickers",
  doc: "The tickers of every security.",
  parameters: [inMarket, wholeRange, cursor],
  rules: [],
  columns: [META_COLUMNS[0], META_COLUMNS[1], META_COLUMNS[2], META_COLUMNS[7]],
  order: "meta_id",
});

export const metaSecurity = defineQuestion({
  dataset: "meta",
  name: "security",
  lake: "market",
  refusals: REFUSALS,
  path: "meta/{meta_id}",
  summary: "One security",
  doc: "The security of a number; 404 where there is none.",
  parameters: [
    { name: "meta_id", kind: "integer", required: true, min: 1, max: 2 ** 31 - 1, doc: "Its number.", example: 1 },
  ],
  rules: [],
  columns: META_COLUMNS,
  order: "meta_id",
});

export const priceDaily = defineQuestion({
  dataset: "price",
  name: "daily",
  lake: "market",
  refusals: REFUSALS,
  summary: "Daily prices of a ticker",
  doc: "One row a day of trading.",
  parameters: [
    { name: "ticker", kind: "text", required: true, doc: "A ticker.", example: "AAPL" },
    market,
    startDate,
    endDate,
    wholeRange,
    cursor,
  ],
  rules: [ordered],
  columns: [
    { name: "ticker", type: "string" },
    { name: "meta_id", type: "int" },
    { name: "trade_date", type: "date" },
    { name: "close", type: "double", optional: true },
    { name: "adj_close", type: "double", optional: true, doc: "Adjusted for splits and dividends." },
    { name: "gross_return", type: "double", optional: true, doc: "adj_close over the one of the day before, less 1." },
    { name: "volume", type: "long", optional: true },
    { name: "updated_at", type: "timestamptz", optional: true },
  ],
  order: "trade_date",
});

export const priceMonthly = defineQuestion({
  dataset: "price",
  name: "monthly",
  lake: "market",
  refusals: REFUSALS,
  summary: "Monthly prices of tickers",
  doc: "One row a ticker and month that has prices in the range.",
  parameters: [tickers, market, startDate, endDate, wholeRange, cursor],
  rules: [ordered],
  columns: [
    { name: "ticker", type: "string" },
    { name: "month", type: "date", doc: "Its first day." },
    { name: "avg_price", type: "double", optional: true, doc: "Mean of adj_close." },
    { name: "volatility", type: "double", optional: true, doc: "Sample standard deviation of gross_return." },
  ],
  order: "ticker, month",
});

export const priceAggregate = defineQuestion({
  dataset: "price",
  name: "aggregate",
  lake: "market",
  refusals: REFUSALS,
  summary: "Statistics of tickers over a range",
  doc: "One row a ticker that has prices in the range, of adj_close and gross_return; nothing is annualised.",
  parameters: [tickers, market, { ...startDate, required: true }, endDate],
  rules: [ordered],
  columns: [
    { name: "ticker", type: "string" },
    { name: "trading_days", type: "long" },
    { name: "avg_price", type: "double", optional: true },
    { name: "price_std", type: "double", optional: true, doc: "Sample standard deviation." },
    { name: "avg_return", type: "double", optional: true },
    { name: "volatility", type: "double", optional: true, doc: "Sample standard deviation of gross_return." },
    { name: "min_price", type: "double", optional: true },
    { name: "max_price", type: "double", optional: true },
  ],
  order: "ticker",
});

export const priceCrossMarket = defineQuestion({
  dataset: "price",
  name: "cross-market",
  lake: "market",
  refusals: REFUSALS,
  summary: "A US and a Korean ticker side by side",
  doc: "One row a date of the range on which either traded. correlation is that of the returns over the last 20 dates of the range on which both traded, null before there are 20.",
  parameters: [
    { name: "us_ticker", kind: "text", required: true, doc: "A ticker of the US market.", example: "AAPL" },
    { name: "kr_ticker", kind: "text", required: true, doc: "A ticker of the Korean market.", example: "005930" },
    startDate,
    endDate,
    {
      name: "lag",
      kind: "integer",
      min: 0,
      max: 1,
      default: 0,
      doc: "1 puts the next Korean date beside each US date.",
    },
    wholeRange,
    cursor,
  ],
  rules: [ordered],
  columns: [
    { name: "trade_date", type: "date" },
    { name: "us_price", type: "double", optional: true, doc: "adj_close." },
    { name: "kr_price", type: "double", optional: true, doc: "adj_close." },
    { name: "us_return", type: "double", optional: true },
    { name: "kr_return", type: "double", optional: true },
    { name: "correlation", type: "double", optional: true },
  ],
  order: "trade_date",
});

export const regimeList = defineQuestion({
  dataset: "regime",
  name: "list",
  lake: "market",
  refusals: REFUSALS,
  path: "regime",
  summary: "Regimes by month",
  doc: "Growth up or down by inflation up or down, each by its change over three months, as known a month later: Goldilocks, Reflation, Stagflation or Deflation. Every known month of which a day lies in the range.",
  parameters: [startDate, endDate, wholeRange, cursor],
  rules: [ordered],
  columns: [
    { name: "month", type: "date", doc: "Its first day." },
    { name: "growth_change", type: "double" },
    { name: "inflation_change", type: "double", doc: "Of the 12-month change, a fraction." },
    { name: "regime", type: "string" },
  ],
  order: "month",
});

export const marketErrors = errorsQuestion("market");
