import { columnTypeOf, parseDate, type QuestionPlan, type RowCondition, type TableDefinition } from "@firn/core";
import type { Literal, Predicate } from "@firn/lake";

/** What a scan is asked for: all conditions of the plan, with dates as days since 1970-01-01. */
export function planPredicate({ table, where }: Pick<QuestionPlan, "table" | "where">): Predicate {
  return { op: "and", of: where.map((condition) => predicateOf(condition, table)) };
}

function predicateOf(condition: RowCondition, table: TableDefinition): Predicate {
  if (condition.op === "not_null") return condition;
  const isDate = columnTypeOf(table, condition.column) === "date";
  const literal = (value: Literal): Literal => (isDate && typeof value === "string" ? parseDate(value)! : value);
  if (condition.op === "in") return { ...condition, values: condition.values.map(literal) };
  return { ...condition, value: literal(condition.value) };
}
