import { sqlName, type Predicate } from "@firn/lake";
import { periodRange } from "./period-range.ts";
import { rollupOf } from "./periods.ts";
import type { PlanInput, QuestionPlan } from "./question-plan.ts";
import { answerColumns, askedTypes, selectList, whoAndWhat } from "./selection.ts";

/** `top`: rows of a rollup with the greatest measure, best first. */
export function planTop(input: PlanInput): QuestionPlan {
  const rollup = rollupOf(input, input.parameters["period"] as string);
  const by = input.parameters["by"] as string;
  const columns = answerColumns(rollup.table);
  const where: Predicate = {
    op: "and",
    of: [...whoAndWhat(input), ...periodRange(rollup, input.parameters), { op: "not_null", column: by }],
  };
  const order = `${sqlName(by)} DESC, "user_id", "data_type", ${sqlName(rollup.periodColumns.start)}`;
  return {
    table: rollup.table,
    where,
    reads: columns.map((column) => column.name),
    columns,
    limit: input.parameters["limit"] as number,
    unitsOf: askedTypes(input) ?? [],
    sql: (relation, page) => `SELECT ${selectList(columns)} FROM (${relation}) ORDER BY ${order} LIMIT ${page.limit}`,
  };
}
