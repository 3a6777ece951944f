import { findQuestion } from "@firn/client";
import { sqlName } from "@firn/lake";
import { rollupOf } from "../questions/periods.ts";
import type { PageKey, PlanInput, QuestionPlan } from "../questions/question-plan.ts";
import { dateRange, ofDimensions, orderBy } from "../questions/selection.ts";

export type RevenueSource = "raw" | "summary";

const KEY: PageKey = { columns: [{ name: "product_id", direction: "asc" }] };

/** `revenue`: each product's total, from every transaction or from the daily summary. */
export function planRevenue(input: PlanInput): QuestionPlan {
  const { columns } = findQuestion("sales", "revenue")!;
  const source = input.parameters["source"] as RevenueSource;
  const { amount } = sourceOf(input, source);
  return {
    ...revenueRows(input, source),
    columns,
    limit: input.parameters["limit"] as number,
    key: KEY,
    sql: (relation, page) => `SELECT "product_id", "total_revenue" FROM (
        SELECT "product_id", fsum(${sqlName(amount)}) AS "total_revenue" FROM (${relation}) GROUP BY "product_id")
      WHERE ${page.after} ORDER BY ${orderBy(KEY)} LIMIT ${page.limit}`,
  };
}

/** Where the question's rows are: table, conditions, and the columns that it needs. */
export function revenueRows(input: PlanInput, source: RevenueSource): Pick<QuestionPlan, "table" | "where" | "reads"> {
  const { table, date, amount } = sourceOf(input, source);
  return {
    table,
    where: { op: "and", of: [...ofDimensions(input), ...dateRange(date, input.parameters)] },
    reads: ["product_id", date, amount],
  };
}

/** The table of a source, with its columns of the day and of what is summed up. */
export function sourceOf(input: PlanInput, source: RevenueSource) {
  const { dataset } = input;
  if (source === "raw") return { table: dataset.raw, date: dataset.time.localDate, amount: "amount" };
  const { table, periodColumns } = rollupOf(input, "daily-summary");
  return { table, date: periodColumns.start, amount: "total_revenue" };
}
