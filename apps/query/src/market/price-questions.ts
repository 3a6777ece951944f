import { findQuestion, type AnswerColumn } from "@firn/client";
import {
  columnValues,
  orderBy,
  selectList,
  tableOfRows,
  type AnswerTable,
  type ComputedPlan,
  type QuestionPlan,
  type RowCondition,
} from "@firn/core";
import { inDates } from "@firn/datasets";
import { sqlString } from "@firn/lake";
import type { Security } from "@firn/relational";
import { knownTickers, marketOf } from "./known-securities.ts";
import { priceTable, type MarketCode } from "./market-tables.ts";
import { groupBy } from "./group-by.ts";
import type { MarketInput } from "./market-input.ts";

/** `daily`: the stored prices of one ticker. */
export async function planDaily(input: MarketInput): Promise<QuestionPlan> {
  const { parameters } = input;
  const [security] = await knownTickers(
    input.relations,
    [parameters["ticker"] as string],
    askedMarket(input),
    "ticker",
  );
  const { columns } = findQuestion("price", "daily")!;
  const table = priceTable(input.dataset, marketOf(security!));
  const key = { columns: [{ name: "trade_date", direction: "asc" }] } as const;
  const limit = parameters["limit"] as number;
  const [ticker, ...stored] = columns;
  return {
    table,
    where: [ofSecurities([security!]), ...inDates("trade_date", parameters)],
    reads: stored.map((column) => column.name),
    columns,
    limit,
    key,
    // A short page needs the first files only; a long one is read at once.
    ...(limit < SHORT_PAGE ? { reach: { column: "trade_date", direction: "asc", until: "limit" } as const } : {}),
    sql: (relation, page) =>
      `SELECT ${sqlString(security!.ticker)} AS "${ticker!.name}", ${selectList(stored)} FROM (${relation})
       WHERE ${page.after} ORDER BY ${orderBy(key.columns)} LIMIT ${page.limit}`,
  };
}

const SHORT_PAGE = 500;

/** `monthly`: mean price and volatility of each ticker and month. */
export function planMonthly(input: MarketInput): Promise<ComputedPlan> {
  return byTicker(input, "monthly", {
    keys: [`date_trunc('month', "trade_date")::DATE AS "month"`],
    values: [`avg("adj_close") AS "avg_price"`, `stddev_samp("gross_return") AS "volatility"`],
  });
}

/** `aggregate`: statistics of each ticker over the range. */
export function planAggregate(input: MarketInput): Promise<ComputedPlan> {
  return byTicker(input, "aggregate", {
    keys: [],
    values: [
      `count(*) AS "trading_days"`,
      `avg("adj_close") AS "avg_price"`,
      `stddev_samp("adj_close") AS "price_std"`,
      `avg("gross_return") AS "avg_return"`,
      `stddev_samp("gross_return") AS "volatility"`,
      `min("adj_close") AS "min_price"`,
      `max("adj_close") AS "max_price"`,
    ],
  });
}

/** Groups by security in the table of each market that the tickers are of, and puts the groups together by ticker. */
async function byTicker(
  input: MarketInput,
  name: "monthly" | "aggregate",
  groups: { readonly keys: readonly string[]; readonly values: readonly string[] },
): Promise<ComputedPlan> {
  const { parameters, relations, dataset } = input;
  const { columns } = findQuestion("price", name)!;
  const tickers = parameters["tickers"] as readonly string[];
  const securities = await knownTickers(relations, tickers, askedMarket(input), "tickers");
  const markets = [...groupBy(securities, marketOf)];
  const read: AnswerColumn[] = [{ name: "meta_id", type: "int" }, ...columns.slice(1)];
  const keys = [`"meta_id"`, ...groups.keys];
  const plans = markets.map(([market, own]): QuestionPlan => ({
    table: priceTable(dataset, market),
    where: [ofSecurities(own), ...inDates("trade_date", parameters)],
    reads: ["meta_id", "trade_date", "adj_close", "gross_return"],
    columns: read,
    limit: GROUPS_MAX,
    sql: (relation, page) =>
      `SELECT ${[...keys, ...groups.values].join(", ")} FROM (${relation}) GROUP BY ALL
       ORDER BY ${keys.map((_, index) => index + 1).join(", ")} LIMIT ${page.limit}`,
  }));
  const limit = parameters["limit"] as number | undefined;
  return {
    plans,
    context: securities.map(({ meta_id: id, ticker }) => [id, ticker]),
    ...(limit === undefined ? {} : { limit }),
    compute: (tables) => ({ table: joinTickers(columns, securities, tables) }),
  };
}

const GROUPS_MAX = 1_000_000;

/** The groups of all markets with the ticker in the place of its number, by ticker. */
function joinTickers(
  columns: readonly AnswerColumn[],
  securities: readonly Security[],
  tables: readonly AnswerTable[],
): AnswerTable {
  const tickerOf = new Map(securities.map((security) => [security.meta_id, security.ticker]));
  const rows = tables.flatMap((table) => {
    const ids = columnValues(table, "meta_id") as readonly number[];
    return ids.map((id, index) => ({
      ...Object.fromEntries(table.columns.map(({ name }, at) => [name, table.values[at]![index]])),
      ticker: tickerOf.get(id)!,
    }));
  });
  // Stable: the months of a ticker stay in order.
  rows.sort((one, other) => (one.ticker < other.ticker ? -1 : one.ticker > other.ticker ? 1 : 0));
  return tableOfRows(columns, rows);
}

export function askedMarket({ parameters }: MarketInput): MarketCode | undefined {
  return parameters["market"] as MarketCode | undefined;
}

export function ofSecurities(securities: readonly Security[]): RowCondition {
  const [only, ...others] = securities.map((security) => security.meta_id);
  if (others.length === 0) return { op: "eq", column: "meta_id", value: only! };
  return { op: "in", column: "meta_id", values: [only!, ...others] };
}
