import { sqlName, type AnswerColumn, type PlanInput, type QuestionPlan } from "@firn/core";
import { rollupOf } from "../../questions/periods.ts";
import { askedKinds, ofDimensions } from "../../questions/selection.ts";

const ROWS_MAX = 10_000;

/** `compare`: one row a month that has data in any of the years, one column a year. */
export function planCompare(input: PlanInput): QuestionPlan {
  const rollup = rollupOf(input, "monthly");
  const { start } = rollup.periodColumns;
  const years = input.parameters["years"] as readonly number[];
  const measure = sqlName(input.parameters["measure"] as string);
  const types = askedKinds(input) ?? [];
  const several = types.length > 1;
  const pad = (year: number) => String(year).padStart(4, "0");
  const columns: AnswerColumn[] = [
    ...(several ? [{ name: "data_type", type: "string" } as const] : []),
    { name: "month", type: "int" },
    ...years.map((year) => ({ name: String(year), type: "double", optional: true }) as const),
  ];
  const values = years.map(
    (year) => `max(${measure}::DOUBLE) FILTER (WHERE "year" = ${year}) AS ${sqlName(String(year))}`,
  );
  const keys = several ? `"data_type", "month"::INTEGER AS "month"` : `"month"::INTEGER AS "month"`;
  return {
    table: rollup.table,
    where: [
      ...ofDimensions(input),
      { op: "in", column: "year", values: years },
      { op: "gte", column: start, value: `${pad(Math.min(...years))}-01-01` },
      { op: "lte", column: start, value: `${pad(Math.max(...years))}-12-31` },
    ],
    reads: ["user_id", "data_type", "year", "month", start, input.parameters["measure"] as string],
    columns,
    limit: ROWS_MAX,
    unitsOf: types,
    sql: (relation, page) =>
      `SELECT ${keys}, ${values.join(", ")} FROM (${relation}) GROUP BY ALL ORDER BY "month"${several ? `, "data_type"` : ""} LIMIT ${page.limit}`,
  };
}
