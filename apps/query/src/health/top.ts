import { columnsOf } from "@firn/client";
import { sqlName, type Predicate } from "@firn/lake";
import { periodRange } from "../questions/period-range.ts";
import { rollupOf } from "../questions/periods.ts";
import type { PlanInput, QuestionPlan } from "../questions/question-plan.ts";
import { askedKinds, ofDimensions, selectList } from "../questions/selection.ts";

/** `top`: rows of a rollup with the greatest measure, best first. */
export function planTop(input: PlanInput): QuestionPlan {
  const rollup = rollupOf(input, input.parameters["period"] as string);
  const by = input.parameters["by"] as string;
  const columns = columnsOf(rollup.table);
  const where: Predicate = {
    op: "and",
    of: [...ofDimensions(input), ...periodRange(rollup, input.parameters), { op: "not_null", column: by }],
  };
  const order = `${sqlName(by)} DESC, "user_id", "data_type", ${sqlName(rollup.periodColumns.start)}`;
  return {
    table: rollup.table,
    where,
    reads: columns.map((column) => column.name),
    columns,
    limit: input.parameters["limit"] as number,
    unitsOf: askedKinds(input) ?? [],
    sql: (relation, page) => `SELECT ${selectList(columns)} FROM (${relation}) ORDER BY ${order} LIMIT ${page.limit}`,
  };
}
