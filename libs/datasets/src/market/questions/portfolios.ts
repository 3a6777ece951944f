import { defineQuestion, documentSchema, type AnswerColumn } from "@firn/core";
import { cursor, ordered, wholeRange } from "../../questions/shared-parameters.ts";
import { market, REFUSALS, tradingRange } from "./market-parameters.ts";

/** Questions of the market lake about portfolios, and the backtest that makes them. */

const { startDate, endDate } = tradingRange;
const portId = {
  name: "port_id",
  kind: "integer",
  required: true,
  min: 1,
  max: 2 ** 31 - 1,
  doc: "Number of the portfolio.",
  example: 1,
} as const;

export const portfolioList = defineQuestion({
  dataset: "portfolio",
  name: "list",
  lake: "market",
  refusals: REFUSALS,
  path: "portfolio",
  summary: "Portfolios",
  doc: "Every stored portfolio.",
  parameters: [wholeRange, cursor],
  rules: [],
  columns: [
    { name: "port_id", type: "int" },
    { name: "port_name", type: "string" },
    { name: "strategy_id", type: "int", optional: true },
    { name: "strategy", type: "string", optional: true },
    { name: "strategy_name", type: "string", optional: true },
  ],
  order: "port_id",
});

export const portfolioPerformance = defineQuestion({
  dataset: "portfolio",
  name: "performance",
  lake: "market",
  refusals: REFUSALS,
  summary: "What a portfolio's weights were worth",
  doc: "One row a date of the stored NAV from start_date on. portfolio_value starts at the stored NAV and follows the latest weights as they drift with prices; trading costs are in nav_value alone.",
  parameters: [portId, startDate, wholeRange, cursor],
  rules: [],
  columns: [
    { name: "trade_date", type: "date" },
    { name: "portfolio_value", type: "double" },
    { name: "nav_value", type: "double", doc: "The stored NAV." },
    { name: "daily_return", type: "double", optional: true, doc: "Of portfolio_value; null on the first date." },
  ],
  order: "trade_date",
});

export const portfolioNav = defineQuestion({
  dataset: "portfolio",
  name: "nav",
  lake: "market",
  refusals: REFUSALS,
  path: "portfolio/{port_id}/nav",
  summary: "The stored NAV of a portfolio",
  doc: "One row a date.",
  parameters: [portId, startDate, endDate, wholeRange, cursor],
  rules: [ordered],
  columns: [
    { name: "trade_date", type: "date" },
    { name: "port_id", type: "int" },
    { name: "value", type: "double" },
    { name: "cash", type: "double", optional: true },
    { name: "total_value", type: "double", optional: true },
    { name: "updated_at", type: "timestamptz", optional: true },
  ],
  order: "trade_date",
});

export const portfolioRebalances = defineQuestion({
  dataset: "portfolio",
  name: "rebalances",
  lake: "market",
  refusals: REFUSALS,
  path: "portfolio/{port_id}/rebalances",
  summary: "Target weights of a portfolio",
  doc: "One row a rebalance day and security. What the weights of a day leave of 1 is cash.",
  parameters: [portId, startDate, endDate, wholeRange, cursor],
  rules: [ordered],
  columns: [
    { name: "rebal_date", type: "date" },
    { name: "port_id", type: "int" },
    { name: "meta_id", type: "int" },
    { name: "weight", type: "double" },
  ],
  order: "rebal_date, meta_id",
});

const METRIC_COLUMNS = [
  { name: "ann_ret", type: "double", optional: true },
  { name: "ann_vol", type: "double", optional: true },
  { name: "sharpe", type: "double", optional: true },
  { name: "mdd", type: "double", optional: true },
  { name: "skew", type: "double", optional: true },
  { name: "kurt", type: "double", optional: true },
  { name: "var", type: "double", optional: true },
  { name: "cvar", type: "double", optional: true },
] as const satisfies readonly AnswerColumn[];

export const portfolioMetrics = defineQuestion({
  dataset: "portfolio",
  name: "metrics",
  lake: "market",
  refusals: REFUSALS,
  path: "portfolio/{port_id}/metrics",
  summary: "Metrics of a portfolio",
  doc: "One row, fractions, not per cent; from PostgreSQL, of the past from its mirror, analytics.tb_metrics.",
  parameters: [portId],
  rules: [],
  columns: [{ name: "port_id", type: "int" }, ...METRIC_COLUMNS],
  order: "port_id",
});

export const portfolioBenchmark = defineQuestion({
  dataset: "portfolio",
  name: "benchmark",
  lake: "market",
  refusals: REFUSALS,
  path: "portfolio/{port_id}/benchmark",
  summary: "A portfolio beside a benchmark",
  doc: "One row a date of the stored NAV; the benchmark starts at 1000 on the first of them and keeps its last price where it did not trade.",
  parameters: [
    portId,
    { name: "ticker", kind: "text", doc: "The benchmark; without it the one of the settings.", example: "SP500" },
    market,
    startDate,
    endDate,
    wholeRange,
    cursor,
  ],
  rules: [ordered],
  columns: [
    { name: "trade_date", type: "date" },
    { name: "ticker", type: "string" },
    { name: "value", type: "double", optional: true, doc: "NAV of the benchmark; null before its first price." },
    { name: "nav_value", type: "double", doc: "The stored NAV of the portfolio." },
  ],
  order: "trade_date",
});

const nullable = (type: string) => ({ type: [type, "null"] });
const object = (properties: Record<string, unknown>, extra: object = {}) => ({
  type: "object",
  required: Object.keys(properties),
  properties,
  ...extra,
});
const date = { type: "string", format: "date" };
const bound = { ...object({ trade_date: date, reason: { type: "string" } }), type: ["object", "null"] };

export const backtestRun = defineQuestion({
  dataset: "backtest",
  name: "run",
  lake: "market",
  refusals: REFUSALS,
  path: "backtest",
  method: "POST",
  summary: "Backtest",
  doc: "Runs a strategy over stored prices. eq holds equal weights; dual_mmt the best four by the share of twelve look-backs that they stand above. With save_as the result becomes a portfolio, and the answer waits until its rows are committed.",
  parameters: [
    {
      name: "meta_ids",
      kind: "integers",
      required: true,
      min: 1,
      max: 2 ** 31 - 1,
      itemsMax: 500,
      doc: "Numbers of the securities.",
      example: "1,2,3",
    },
    { name: "algorithm", kind: "choice", choices: ["eq", "dual_mmt"], required: true, doc: "The strategy." },
    { ...startDate, required: true },
    { ...endDate, doc: "Last date, inclusive; without it the last one that all securities have." },
    {
      name: "rebal_freq",
      kind: "choice",
      choices: ["monthly", "quarterly", "yearly"],
      default: "monthly",
      doc: "Rebalanced on the first date of each of these periods.",
    },
    {
      name: "cost_bps",
      kind: "number",
      min: 0,
      max: 1000,
      default: 0,
      doc: "Costs of trading, in basis points of the traded value.",
      example: 10,
    },
    { name: "benchmark", kind: "text", doc: "A ticker, answered as its own NAV.", example: "SP500" },
    { ...market, doc: "Market of the benchmark; needed for a ticker that exists in both." },
    {
      name: "currency",
      kind: "choice",
      choices: ["USD", "KRW"],
      doc: "Currency of the curve; needed for securities of several.",
    },
    {
      name: "save_as",
      kind: "text",
      max: 200,
      doc: "Store the result as a portfolio of this name; 409 where it is taken.",
    },
  ],
  rules: [ordered],
  columns: [
    { name: "trade_date", type: "date" },
    { name: "value", type: "double" },
    { name: "benchmark_value", type: "double", optional: true },
  ],
  document: documentSchema<BacktestDocument>(
    object({
      nav: { type: "array", items: object({ trade_date: date, value: { type: "number" } }) },
      weights: {
        type: "array",
        items: object({ rebal_date: date, meta_id: { type: "integer" }, weight: { type: "number" } }),
        description: "One a rebalance day and security, 0 where it is not held. What they leave of 1 is cash.",
      },
      metrics: object(Object.fromEntries(METRIC_COLUMNS.map(({ name }) => [name, nullable("number")]))),
      benchmark: {
        ...object({
          ticker: { type: "string" },
          nav: { type: "array", items: object({ trade_date: date, value: nullable("number") }) },
        }),
        type: ["object", "null"],
      },
      ended_early: bound,
      started_late: bound,
      port_id: nullable("integer"),
    }),
  ),
  order: "trade_date",
});

/** What a backtest answers in `data`. */
export interface BacktestDocument {
  readonly nav: readonly { readonly trade_date: string; readonly value: number }[];
  readonly weights: readonly { readonly rebal_date: string; readonly meta_id: number; readonly weight: number }[];
  readonly metrics: Readonly<Record<(typeof METRIC_COLUMNS)[number]["name"], number | null>>;
  readonly benchmark: {
    readonly ticker: string;
    /** Null before the benchmark's first price. */
    readonly nav: readonly { readonly trade_date: string; readonly value: number | null }[];
  } | null;
  /** The last date of a curve that ends before its window, and why. */
  readonly ended_early: { readonly trade_date: string; readonly reason: string } | null;
  readonly started_late: { readonly trade_date: string; readonly reason: string } | null;
  /** Of the portfolio that the result was saved as. */
  readonly port_id: number | null;
}
