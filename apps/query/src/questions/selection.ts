import type { AnswerColumn } from "@firn/client";
import type { TableDefinition } from "@firn/core";
import { sqlName, type Predicate } from "@firn/lake";
import type { Parameters } from "../parameters/parse-parameters.ts";
import type { PageKey, PlanInput } from "./question-plan.ts";

/** Pieces that several questions are planned from. */

/** The data types asked for, by their canonical names; undefined when the question does not say. */
export function askedTypes({ parameters, canonicalType }: PlanInput): string[] | undefined {
  const asked = parameters["data_type"] as readonly string[] | undefined;
  return asked && [...new Set(asked.map(canonicalType))];
}

/** `column = value` for one value, `column IN (…)` for several, nothing for none asked. */
export function oneOf(column: string, values: readonly string[] | undefined): Predicate[] {
  if (values === undefined) return [];
  return values.length === 1 ? [{ op: "eq", column, value: values[0]! }] : [{ op: "in", column, values }];
}

/** Who and what: the conditions on user_id and data_type. */
export function whoAndWhat(input: PlanInput): Predicate[] {
  const user = input.parameters["user_id"] as string | undefined;
  return [...oneOf("user_id", user === undefined ? undefined : [user]), ...oneOf("data_type", askedTypes(input))];
}

/** Start inclusive, end exclusive. */
export function timeRange(column: string, parameters: Parameters): Predicate[] {
  const start = parameters["start_time"] as number | bigint | undefined;
  const end = parameters["end_time"] as number | bigint | undefined;
  const where: Predicate[] = [];
  if (start !== undefined) where.push({ op: "gte", column, value: start });
  if (end !== undefined) where.push({ op: "lt", column, value: end });
  return where;
}

/** A table's columns as columns of an answer. Float columns are read as doubles. */
export function answerColumns(table: TableDefinition): AnswerColumn[] {
  return table.columns.map(({ name, type, required, doc }) => ({
    name,
    type: type === "float" ? "double" : type,
    ...(required ? {} : { optional: true }),
    ...(doc === undefined ? {} : { doc }),
  }));
}

export function selectList(columns: readonly { readonly name: string }[]): string {
  return columns.map((column) => sqlName(column.name)).join(", ");
}

export function orderBy(key: PageKey): string {
  return key.columns
    .map(({ name, direction }) => `${sqlName(name)} ${direction === "asc" ? "ASC" : "DESC"}`)
    .join(", ");
}
