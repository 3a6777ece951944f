import { findQuestion } from "@firn/client";
import {
  columnValues,
  formatDate,
  parseDate,
  tableOfRows,
  type AnswerTable,
  type ComputedPlan,
  type QuestionPlan,
} from "@firn/core";
import { inDates } from "@firn/datasets";
import { driftedPortfolio, type DriftProblem, type PriceSeries, type StoredRebalance } from "@firn/finance";
import type { Security } from "@firn/relational";
import { Problem } from "@firn/service";
import { knownSecurities, marketOf } from "./known-securities.ts";
import { marketTable, priceTable, rowsPlan } from "./market-tables.ts";
import { groupBy } from "./group-by.ts";
import { askedPortfolio, ofPortfolio } from "./portfolio-questions.ts";
import { ofSecurities } from "./price-questions.ts";
import { priceSeriesById } from "./stored-series.ts";
import type { MarketInput } from "./market-input.ts";

/** `portfolio/performance`: the latest weights as they drift with prices, beside the stored NAV. */
export async function planPerformance(input: MarketInput): Promise<ComputedPlan> {
  const { parameters, relations, dataset } = input;
  const { columns } = findQuestion("portfolio", "performance")!;
  const { port_id: portId } = await askedPortfolio(input);
  const rebalances = rebalancesOf(
    await input.read(
      rowsPlan(
        marketTable(dataset, "tb_rebalance"),
        ["port_id", "rebal_date", "meta_id", "weight"],
        [ofPortfolio(portId)],
        ["rebal_date", "meta_id"],
      ),
    ),
  );
  const held = [...new Set(rebalances.flatMap(({ weights }) => [...weights.keys()]))];
  const securities = await knownSecurities(relations, held, "port_id");
  const nav = rowsPlan(
    marketTable(dataset, "tb_nav"),
    ["port_id", "trade_date", "value"],
    [ofPortfolio(portId), ...inDates("trade_date", parameters)],
    ["trade_date"],
  );
  const start = parameters["start_date"] as string | undefined;
  return {
    plans: [nav, ...pricesOf(input, securities)],
    context: rebalances.map(({ date, weights }) => [date, [...weights]]),
    limit: parameters["limit"] as number,
    compute: ([navTable, ...priceTables]) => {
      const stored = { nav: navSeries(navTable!), rebalances, prices: mergeSeries(priceTables) };
      const result = driftedPortfolio(stored, start === undefined ? -Infinity : parseDate(start)!);
      if (result.kind !== "days") throw driftProblem(result, portId);
      const rows = result.days.map((day) => ({
        trade_date: day.date,
        portfolio_value: day.portfolioValue,
        nav_value: day.navValue,
        daily_return: day.dailyReturn,
      }));
      return { table: tableOfRows(columns, rows) };
    },
  };
}

/** Plans of all adjusted prices of the securities, one a market. */
export function pricesOf({ dataset }: MarketInput, securities: readonly Security[]): QuestionPlan[] {
  return [...groupBy(securities, marketOf)].map(([market, own]) =>
    rowsPlan(
      priceTable(dataset, market),
      ["meta_id", "trade_date", "adj_close"],
      [ofSecurities(own)],
      ["meta_id", "trade_date"],
    ),
  );
}

/** The series of the rows of several plans. */
export function mergeSeries(tables: readonly AnswerTable[]): Map<number, PriceSeries> {
  return new Map(tables.flatMap((table) => [...priceSeriesById(table)]));
}

function rebalancesOf(table: AnswerTable): StoredRebalance[] {
  const ids = columnValues(table, "meta_id") as readonly number[];
  const weights = columnValues(table, "weight") as readonly number[];
  const byDate = new Map<number, Map<number, number>>();
  for (const [index, date] of (columnValues(table, "rebal_date") as readonly number[]).entries()) {
    const own = byDate.get(date) ?? new Map<number, number>();
    byDate.set(date, own.set(ids[index]!, weights[index]!));
  }
  return [...byDate].map(([date, own]) => ({ date, weights: own }));
}

function navSeries(table: AnswerTable): PriceSeries {
  const dates = columnValues(table, "trade_date") as readonly number[];
  return { dates, prices: columnValues(table, "value") as readonly number[] };
}

function driftProblem(problem: DriftProblem, portId: number): Problem {
  const date = formatDate(problem.date);
  switch (problem.kind) {
    case "weights_sum":
      return new Problem(
        422,
        "weights_sum",
        `the weights of portfolio ${portId} on ${date} sum to ${problem.sum}, which is more than 1`,
      );
    case "missing_price":
      return new Problem(
        422,
        "missing_price",
        `portfolio ${portId} holds security ${problem.asset} from ${date} on, which has no price on or before that date`,
      );
  }
}
