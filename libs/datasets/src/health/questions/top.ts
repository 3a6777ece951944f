import { selectList, sqlName, type PlanInput, type QuestionPlan } from "@firn/core";
import { columnsOf } from "../../questions/answer-columns.ts";
import { periodRange } from "../../questions/period-range.ts";
import { rollupOf } from "../../questions/periods.ts";
import { askedKinds, ofDimensions } from "../../questions/selection.ts";

/** `top`: rows of a rollup with the greatest measure, best first. */
export function planTop(input: PlanInput): QuestionPlan {
  const rollup = rollupOf(input, input.parameters["period"] as string);
  const by = input.parameters["by"] as string;
  const columns = columnsOf(rollup.table);
  const order = `${sqlName(by)} DESC, "user_id", "data_type", ${sqlName(rollup.periodColumns.start)}`;
  return {
    table: rollup.table,
    where: [...ofDimensions(input), ...periodRange(rollup, input.parameters), { op: "not_null", column: by }],
    reads: columns.map((column) => column.name),
    columns,
    limit: input.parameters["limit"] as number,
    unitsOf: askedKinds(input) ?? [],
    sql: (relation, page) => `SELECT ${selectList(columns)} FROM (${relation}) ORDER BY ${order} LIMIT ${page.limit}`,
  };
}
