import { compareLiterals } from "../manifest/compare-literals.ts";
import type { ColumnPredicate, Literal, Predicate } from "../scan/predicate.ts";

/** What is known of the values of one column in a set of rows. Leave both bounds out when NaN may be among them. */
export interface ValueRange {
  /** No value is below; undefined: not known. */
  readonly lower?: Literal | undefined;
  /** No value is above; undefined: not known. */
  readonly upper?: Literal | undefined;
  readonly mayHaveNull: boolean;
  readonly mayHaveValue: boolean;
}

/** Nothing is known. */
export const ANY_VALUE: ValueRange = { mayHaveNull: true, mayHaveValue: true };

/** False when it is certain that no row matches, by what is known of each column. */
export function mayMatch(where: Predicate, rangeOf: (column: string) => ValueRange): boolean {
  switch (where.op) {
    case "and":
      return where.of.every((part) => mayMatch(part, rangeOf));
    case "or":
      return where.of.some((part) => mayMatch(part, rangeOf));
    default:
      return columnMayMatch(where, rangeOf(where.column));
  }
}

function columnMayMatch(where: ColumnPredicate, range: ValueRange): boolean {
  switch (where.op) {
    case "is_null":
      return range.mayHaveNull;
    case "not_null":
      return range.mayHaveValue;
    case "in":
      return where.values.some((value) => contains(range, value)) && range.mayHaveValue;
    case "eq":
      return contains(range, where.value) && range.mayHaveValue;
    case "lt":
      return range.mayHaveValue && (range.lower === undefined || compareLiterals(range.lower, where.value) < 0);
    case "lte":
      return range.mayHaveValue && (range.lower === undefined || compareLiterals(range.lower, where.value) <= 0);
    case "gt":
      return range.mayHaveValue && (range.upper === undefined || compareLiterals(range.upper, where.value) > 0);
    case "gte":
      return range.mayHaveValue && (range.upper === undefined || compareLiterals(range.upper, where.value) >= 0);
  }
}

function contains(range: ValueRange, value: Literal): boolean {
  if (range.lower !== undefined && compareLiterals(range.lower, value) > 0) return false;
  return range.upper === undefined || compareLiterals(range.upper, value) >= 0;
}
