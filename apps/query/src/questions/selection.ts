import { parseDate } from "@firn/core";
import { sqlName, type Literal, type Predicate } from "@firn/lake";
import type { Parameters } from "../parameters/parse-parameters.ts";
import type { PageKey, PlanInput } from "./question-plan.ts";

/** Pieces that several questions are planned from. */

/** The kinds of record asked for, by their canonical names; undefined when the question does not say. */
export function askedKinds({ dataset: { kinds }, parameters }: PlanInput): string[] | undefined {
  const asked = kinds && (parameters[kinds.column] as readonly string[] | undefined);
  return asked && [...new Set(asked.map((name) => kinds.canonical(name)))];
}

/** `column = value` for one value, `column IN (…)` for several, nothing for none asked. */
export function oneOf(column: string, values: readonly Literal[] | undefined): Predicate[] {
  if (values === undefined) return [];
  return values.length === 1 ? [{ op: "eq", column, value: values[0]! }] : [{ op: "in", column, values }];
}

/** Whose and which records: the conditions on the dimensions of the dataset's rollups that the question names. */
export function ofDimensions(input: PlanInput): Predicate[] {
  const { dataset, parameters } = input;
  const dimensions = [...new Set(dataset.rollups.flatMap((rollup) => rollup.dimensions))];
  return dimensions.flatMap((name) => {
    if (name === dataset.kinds?.column) return oneOf(name, askedKinds(input));
    const asked = parameters[name] as Literal | readonly Literal[] | undefined;
    if (asked === undefined) return [];
    return oneOf(name, [...new Set(Array.isArray(asked) ? (asked as readonly Literal[]) : [asked as Literal])]);
  });
}

/** `start_date` and `end_date` on a column of type `date`, both inclusive. */
export function dateRange(column: string, parameters: Parameters): Predicate[] {
  const start = parameters["start_date"] as string | undefined;
  const end = parameters["end_date"] as string | undefined;
  return [
    ...(start === undefined ? [] : [{ op: "gte", column, value: parseDate(start)! } as const]),
    ...(end === undefined ? [] : [{ op: "lte", column, value: parseDate(end)! } as const]),
  ];
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

export function selectList(columns: readonly { readonly name: string }[]): string {
  return columns.map((column) => sqlName(column.name)).join(", ");
}

export function orderBy(key: PageKey): string {
  return key.columns
    .map(({ name, direction }) => `${sqlName(name)} ${direction === "asc" ? "ASC" : "DESC"}`)
    .join(", ");
}
