import { equalLiterals } from "../manifest/compare-literals.ts";
import { and, or, type ColumnPredicate, type Literal, type Predicate } from "../scan/predicate.ts";
import type { BoundPartitionField } from "./bound-spec.ts";
import { compileTransform } from "./transform.ts";

/** True of every partition. */
export const ALWAYS: Predicate = { op: "and", of: [] };
/** True of no partition. */
export const NEVER: Predicate = { op: "or", of: [] };

/**
 * Turns a predicate over columns into one over partition fields that is true of every partition that may hold a
 * matching row (specification, "Scan Planning", inclusive projection). Columns that no field is made of, and
 * transforms that say nothing of the comparison, become ALWAYS.
 */
export function projectPredicate(where: Predicate, fields: readonly BoundPartitionField[]): Predicate {
  switch (where.op) {
    case "and":
      return and(...where.of.map((part) => projectPredicate(part, fields)).filter((part) => !isAlways(part)));
    case "or": {
      const parts = where.of.map((part) => projectPredicate(part, fields));
      return parts.some(isAlways) ? ALWAYS : or(...parts);
    }
    default: {
      const parts = fields
        .filter((field) => field.sourceName === where.column)
        .map((field) => projectColumn(where, field));
      return and(...parts.filter((part) => !isAlways(part)));
    }
  }
}

const isAlways = (predicate: Predicate): boolean => predicate.op === "and" && predicate.of.length === 0;

function projectColumn(where: ColumnPredicate, field: BoundPartitionField): Predicate {
  const column = field.name;
  const { kind } = field.transform;
  if (kind === "void" || kind === "unknown") return ALWAYS;
  if (where.op === "is_null" || where.op === "not_null") return { op: where.op, column };
  if (kind === "identity") return { ...where, column };
  const apply = compileTransform(field.transform, field.sourceType) as (value: Literal) => Literal;
  if (where.op === "in") return projectIn(where.values.map(apply), field);
  if (where.op === "eq") return projectIn([apply(where.value)], field);
  if (kind === "bucket") return ALWAYS;
  return projectBound(where.op, where.value, apply, field);
}

function projectIn(values: readonly Literal[], field: BoundPartitionField): Predicate {
  const distinct: Literal[] = [];
  for (const value of values.flatMap((value) => [value, ...miswritten(value, field)])) {
    if (!distinct.some((known) => equalLiterals(known, value))) distinct.push(value);
  }
  if (distinct.length === 0) return NEVER;
  if (distinct.length === 1) return { op: "eq", column: field.name, value: distinct[0]! };
  return { op: "in", column: field.name, values: distinct };
}

/** The transforms that are left keep the order, but several values share one result: `<` must become `<=`. */
function projectBound(
  op: "lt" | "lte" | "gt" | "gte",
  value: Literal,
  apply: (value: Literal) => Literal,
  field: BoundPartitionField,
): Predicate {
  const below = op === "lt" || op === "lte";
  const whole = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  // Of whole numbers the last one below 10 is 9: `< 10` in truncate[10] need not look into partition 10.
  const nearest = whole && op === "lt" ? minus(value, 1) : whole && op === "gt" ? minus(value, -1) : value;
  const result = apply(nearest);
  if (!below) return { op: "gte", column: field.name, value: result };
  return { op: "lte", column: field.name, value: miswritten(result, field)[0] ?? result };
}

function minus(value: number | bigint, by: 1 | -1): number | bigint {
  if (typeof value === "bigint") return value - BigInt(by);
  // Beyond the safe integers the neighbour is the value itself: less exact, never wrong.
  return value - by;
}

/**
 * Old writers rounded years, months, days and hours before 1970 toward zero, so that a value below zero may stand in
 * the partition above. Java's projection allows for it, and so does this one.
 */
function miswritten(value: Literal, field: BoundPartitionField): Literal[] {
  const { kind } = field.transform;
  const calendar = kind === "year" || kind === "month" || kind === "day" || kind === "hour";
  return calendar && typeof value === "number" && value < 0 ? [value + 1] : [];
}
