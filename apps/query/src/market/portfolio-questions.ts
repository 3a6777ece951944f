import { findQuestion, type AnswerColumn } from "@firn/client";
import {
  columnValues,
  orderBy,
  selectList,
  tableOfRows,
  type ComputedPlan,
  type PageKey,
  type QuestionPlan,
} from "@firn/core";
import { inDates } from "@firn/datasets";
import { benchmarkNav } from "@firn/finance";
import { listPortfolios, metricsOf, portfolioById, type Portfolio } from "@firn/relational";
import { Problem } from "@firn/service";
import { knownTickers, marketOf } from "./known-securities.ts";
import { marketTable, priceTable, rowsPlan } from "./market-tables.ts";
import { isAboutThePast } from "./meta-questions.ts";
import { askedMarket, ofSecurities } from "./price-questions.ts";
import { priceSeries } from "./stored-series.ts";
import type { MarketInput } from "./market-input.ts";

/** `portfolio`: every stored portfolio; of the past those that were stored by then. */
export async function planPortfolios({ relations, parameters, timeMs }: MarketInput): Promise<ComputedPlan> {
  const { columns } = findQuestion("portfolio", "list")!;
  const storedByMs = await timeMs();
  const portfolios = await listPortfolios(relations, storedByMs === undefined ? {} : { storedByMs });
  const limit = parameters["limit"] as number;
  return { plans: [], context: null, limit, compute: () => ({ table: tableOfRows(columns, portfolios) }) };
}

/** `portfolio/{port_id}/nav`: the stored NAV. */
export async function planNav(input: MarketInput): Promise<QuestionPlan> {
  await askedPortfolio(input);
  return storedRows(input, "nav", "tb_nav", ["trade_date"]);
}

/** `portfolio/{port_id}/rebalances`: the stored target weights. */
export async function planRebalances(input: MarketInput): Promise<QuestionPlan> {
  await askedPortfolio(input);
  return storedRows(input, "rebalances", "tb_rebalance", ["rebal_date", "meta_id"]);
}

/** `portfolio/{port_id}/metrics`: from PostgreSQL; of the past from the table that mirrors them. */
export async function planMetrics(input: MarketInput): Promise<QuestionPlan | ComputedPlan> {
  const { columns } = findQuestion("portfolio", "metrics")!;
  const { port_id: portId } = await askedPortfolio(input);
  if (isAboutThePast(input)) {
    const plan = rowsPlan(
      marketTable(input.dataset, "tb_metrics"),
      columns.map((column) => column.name),
      [ofPortfolio(portId)],
      ["port_id"],
    );
    return { ...plan, limit: 1 };
  }
  const metrics = await metricsOf(input.relations, portId);
  const rows = metrics === undefined ? [] : [{ port_id: portId, ...metrics }];
  return { plans: [], context: null, compute: () => ({ table: tableOfRows(columns, rows) }) };
}

/** `portfolio/{port_id}/benchmark`: the benchmark's NAV on the dates of the stored one. */
export async function planBenchmark(input: MarketInput): Promise<ComputedPlan> {
  const { parameters, relations, dataset, choices } = input;
  const { columns } = findQuestion("portfolio", "benchmark")!;
  const { port_id: portId } = await askedPortfolio(input);
  const ticker = (parameters["ticker"] as string | undefined) ?? choices.benchmark;
  const [benchmark] = await knownTickers(relations, [ticker], askedMarket(input), "ticker");
  const own = [ofPortfolio(portId), ...inDates("trade_date", parameters)];
  const prices = priceTable(dataset, marketOf(benchmark!));
  return {
    plans: [
      rowsPlan(marketTable(dataset, "tb_nav"), ["port_id", "trade_date", "value"], own, ["trade_date"]),
      rowsPlan(prices, ["meta_id", "trade_date", "adj_close"], [ofSecurities([benchmark!])], ["trade_date"]),
    ],
    context: [benchmark!.meta_id, ticker],
    limit: parameters["limit"] as number,
    compute: ([nav, stored]) => {
      const dates = columnValues(nav!, "trade_date") as number[];
      const values = benchmarkNav(priceSeries(stored!), dates);
      const navs = columnValues(nav!, "value");
      const rows = dates.map((date, index) => ({
        trade_date: date,
        ticker,
        value: values[index],
        nav_value: navs[index],
      }));
      return { table: tableOfRows(columns, rows) };
    },
  };
}

/** The portfolio of `port_id`; 404 where there is none. */
export async function askedPortfolio({ parameters, relations }: MarketInput): Promise<Portfolio> {
  const portId = parameters["port_id"] as number;
  const found = await portfolioById(relations, portId);
  if (found !== undefined) return found;
  const message = `there is no portfolio ${portId}`;
  throw new Problem(404, "unknown_portfolio", message, { errors: [{ field: "port_id", rule: "known", message }] });
}

export const ofPortfolio = (portId: number) => ({ op: "eq", column: "port_id", value: portId }) as const;

function storedRows(
  { dataset, parameters }: MarketInput,
  question: "nav" | "rebalances",
  table: string,
  order: readonly string[],
): QuestionPlan {
  const columns: readonly AnswerColumn[] = findQuestion("portfolio", question)!.columns;
  const key: PageKey = { columns: order.map((name) => ({ name, direction: "asc" })) };
  const where = [ofPortfolio(parameters["port_id"] as number), ...inDates(order[0]!, parameters)];
  return {
    table: marketTable(dataset, table),
    where,
    reads: columns.map((column) => column.name),
    columns,
    limit: parameters["limit"] as number,
    key,
    sql: (relation, page) =>
      `SELECT ${selectList(columns)} FROM (${relation}) WHERE ${page.after} ORDER BY ${orderBy(key.columns)} LIMIT ${page.limit}`,
  };
}
