import { sqlName, type PlanInput, type QuestionPlan } from "@firn/core";
import { rollupOf } from "../../questions/periods.ts";
import { selectedRows } from "../../questions/selected-rows.ts";
import { inDates, ofDimensions } from "../../questions/selection.ts";
import { salesRevenue } from "./definitions.ts";

export type RevenueSource = "raw" | "summary";

/** `revenue`: each product's total, from every transaction or from the daily summary. */
export function planRevenue(input: PlanInput): QuestionPlan {
  const source = input.parameters["source"] as RevenueSource;
  const { amount } = sourceOf(input, source);
  return selectedRows(input, {
    ...revenueRows(input, source),
    columns: salesRevenue.columns,
    order: [{ name: "product_id", direction: "asc" }],
    sql: (rows) =>
      `SELECT "product_id", fsum(${sqlName(amount)}) AS "total_revenue" FROM ${rows} GROUP BY "product_id"`,
  });
}

/** Where the question's rows are: table, conditions, and the columns that it needs. */
export function revenueRows(input: PlanInput, source: RevenueSource): Pick<QuestionPlan, "table" | "where" | "reads"> {
  const { table, date, amount } = sourceOf(input, source);
  return {
    table,
    where: [...ofDimensions(input), ...inDates(date, input.parameters)],
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
