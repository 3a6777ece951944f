import { healthTypes } from "@firn/client";
import { sqlName } from "@firn/lake";
import { rollupOf } from "../questions/periods.ts";
import type { PlanInput, QuestionPlan } from "../questions/question-plan.ts";
import { ofDimensions } from "../questions/selection.ts";

const ROWS_MAX = 10_000;

/** `types`: what a user has, from the daily rollup; the service adds the units. */
export function planTypes(input: PlanInput): QuestionPlan {
  const rollup = rollupOf(input, "daily");
  const { start } = rollup.periodColumns;
  const date = sqlName(start);
  return {
    table: rollup.table,
    where: { op: "and", of: ofDimensions(input) },
    reads: ["user_id", "data_type", start, "record_count"],
    columns: healthTypes.columns,
    limit: ROWS_MAX,
    sql: (relation, page) =>
      `SELECT "data_type", NULL::VARCHAR AS "unit", min(${date}) AS "first_date", max(${date}) AS "last_date", sum("record_count")::BIGINT AS "rows" FROM (${relation}) GROUP BY "data_type" ORDER BY "data_type" LIMIT ${page.limit}`,
  };
}
