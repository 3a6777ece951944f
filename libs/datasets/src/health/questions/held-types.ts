import { sqlName, type PlanInput, type QuestionPlan } from "@firn/core";
import { rollupOf } from "../../questions/periods.ts";
import { ofDimensions } from "../../questions/selection.ts";
import { healthTypes } from "./definitions.ts";

const ROWS_MAX = 10_000;

/** `types`: what a user has, from the daily rollup; the service adds the units. */
export function planTypes(input: PlanInput): QuestionPlan {
  const rollup = rollupOf(input, "daily");
  const { start } = rollup.periodColumns;
  const date = sqlName(start);
  return {
    table: rollup.table,
    where: ofDimensions(input),
    reads: ["user_id", "data_type", start, "record_count"],
    columns: healthTypes.columns,
    limit: ROWS_MAX,
    sql: (relation, page) =>
      `SELECT "data_type", NULL::VARCHAR AS "unit", min(${date}) AS "first_date", max(${date}) AS "last_date", sum("record_count")::BIGINT AS "rows" FROM (${relation}) GROUP BY "data_type" ORDER BY "data_type" LIMIT ${page.limit}`,
  };
}
