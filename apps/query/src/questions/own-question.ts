import { columnTypeOf, parseDate, type DatasetQuestion, type RowCondition, type TableDefinition } from "@firn/core";
import type { Literal, Predicate } from "@firn/lake";
import type { PlanInput, QuestionPlan } from "./question-plan.ts";
import { orderBy, selectList } from "./selection.ts";

/** A question that the dataset itself declares: its SELECT, in order and page by page. */
export function planOwn({ parameters }: PlanInput, question: DatasetQuestion): QuestionPlan {
  const { columns, order } = question;
  const { table, where, reads, sql } = question.select(parameters);
  const key = { columns: order };
  return {
    table,
    where: { op: "and", of: where.map((condition) => predicateOf(condition, table)) },
    reads,
    columns,
    limit: parameters["limit"] as number,
    key,
    sql: (relation, page) =>
      `SELECT ${selectList(columns)} FROM (${sql(`(${relation})`)}) WHERE ${page.after} ORDER BY ${orderBy(key)} LIMIT ${page.limit}`,
  };
}

function predicateOf(condition: RowCondition, table: TableDefinition): Predicate {
  if (condition.op === "not_null") return condition;
  const isDate = columnTypeOf(table, condition.column) === "date";
  const literal = (value: Literal): Literal => (isDate ? parseDate(String(value))! : value);
  if (condition.op === "in") return { ...condition, values: condition.values.map(literal) };
  return { ...condition, value: literal(condition.value) };
}
