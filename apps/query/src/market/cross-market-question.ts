import { findQuestion } from "@firn/client";
import { crossMarket, type MarketSeries } from "@firn/finance";
import type { Security } from "@firn/relational";
import { columnValues, type AnswerTable } from "../answers/answer-table.ts";
import type { AsyncPlanInput, ComputedPlan, QuestionPlan } from "../questions/question-plan.ts";
import { tableOfRows } from "./answer-rows.ts";
import { knownTickers, marketOf } from "./known-securities.ts";
import { dateRange, priceTable, rowsPlan } from "./market-tables.ts";
import { ofSecurities } from "./price-questions.ts";

/** `cross-market`: two tickers side by side by date, with their rolling correlation. */
export async function planCrossMarket(input: AsyncPlanInput): Promise<ComputedPlan> {
  const { parameters, relations } = input;
  const [us] = await knownTickers(relations, [parameters["us_ticker"] as string], "us", "us_ticker");
  const [kr] = await knownTickers(relations, [parameters["kr_ticker"] as string], "kr", "kr_ticker");
  const lag = parameters["lag"] === 1 ? 1 : 0;
  const { columns } = findQuestion("price", "cross-market")!;
  return {
    plans: [returnsPlan(input, us!), returnsPlan(input, kr!)],
    context: [us!.meta_id, kr!.meta_id, lag],
    limit: parameters["limit"] as number,
    compute: ([usTable, krTable]) => {
      const rows = crossMarket(seriesOf(usTable!), seriesOf(krTable!), lag).map((row) => ({
        trade_date: row.date,
        us_price: row.usPrice,
        kr_price: row.krPrice,
        us_return: row.usReturn,
        kr_return: row.krReturn,
        correlation: row.correlation,
      }));
      return { table: tableOfRows(columns, rows) };
    },
  };
}

function returnsPlan({ dataset, parameters }: AsyncPlanInput, security: Security): QuestionPlan {
  const table = priceTable(dataset, marketOf(security));
  const where = [ofSecurities([security]), ...dateRange("trade_date", parameters)];
  return rowsPlan(table, ["meta_id", "trade_date", "adj_close", "gross_return"], where, ["trade_date"]);
}

function seriesOf(table: AnswerTable): MarketSeries {
  return {
    dates: columnValues(table, "trade_date") as number[],
    prices: columnValues(table, "adj_close") as (number | null)[],
    returns: columnValues(table, "gross_return") as (number | null)[],
  };
}
