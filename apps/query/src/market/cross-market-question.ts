import { findQuestion } from "@firn/client";
import { columnValues, tableOfRows, type AnswerTable, type ComputedPlan, type QuestionPlan } from "@firn/core";
import { inDates } from "@firn/datasets";
import { crossMarket, type MarketSeries } from "@firn/finance";
import type { Security } from "@firn/relational";
import { knownTickers, marketOf } from "./known-securities.ts";
import { priceTable, rowsPlan } from "./market-tables.ts";
import { ofSecurities } from "./price-questions.ts";
import type { MarketInput } from "./market-input.ts";

/** `cross-market`: two tickers side by side by date, with their rolling correlation. */
export async function planCrossMarket(input: MarketInput): Promise<ComputedPlan> {
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

function returnsPlan({ dataset, parameters }: MarketInput, security: Security): QuestionPlan {
  const table = priceTable(dataset, marketOf(security));
  const where = [ofSecurities([security]), ...inDates("trade_date", parameters)];
  return rowsPlan(table, ["meta_id", "trade_date", "adj_close", "gross_return"], where, ["trade_date"]);
}

function seriesOf(table: AnswerTable): MarketSeries {
  return {
    dates: columnValues(table, "trade_date") as number[],
    prices: columnValues(table, "adj_close") as (number | null)[],
    returns: columnValues(table, "gross_return") as (number | null)[],
  };
}
