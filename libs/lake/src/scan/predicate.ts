/**
 * What a scan asks for, over column names of the current (or the named) schema.
 *
 * Values are given in Iceberg's own domain, so that a bound, a partition value and a literal compare without a
 * conversion: `date` is whole days since 1970-01-01, `time` microseconds since midnight, `timestamp` and
 * `timestamptz` microseconds since the epoch (number or bigint), `uuid` and `string` are strings, `binary` and `fixed`
 * are bytes, `decimal` is its unscaled value as a bigint.
 */
export type Literal = string | number | bigint | boolean | Uint8Array;

export type ComparisonOp = "eq" | "lt" | "lte" | "gt" | "gte";

export type Predicate =
  | { readonly op: ComparisonOp; readonly column: string; readonly value: Literal }
  | { readonly op: "in"; readonly column: string; readonly values: readonly Literal[] }
  | { readonly op: "is_null"; readonly column: string }
  | { readonly op: "not_null"; readonly column: string }
  | { readonly op: "and"; readonly of: readonly Predicate[] }
  | { readonly op: "or"; readonly of: readonly Predicate[] };

/** A predicate on one column. */
export type ColumnPredicate = Exclude<Predicate, { op: "and" | "or" }>;

/** `column = value`; null equals nothing. */
export const eq = (column: string, value: Literal): Predicate => ({ op: "eq", column, value });
export const lt = (column: string, value: Literal): Predicate => ({ op: "lt", column, value });
export const lte = (column: string, value: Literal): Predicate => ({ op: "lte", column, value });
export const gt = (column: string, value: Literal): Predicate => ({ op: "gt", column, value });
export const gte = (column: string, value: Literal): Predicate => ({ op: "gte", column, value });
export const isIn = (column: string, values: readonly Literal[]): Predicate => ({ op: "in", column, values });
export const isNull = (column: string): Predicate => ({ op: "is_null", column });
export const notNull = (column: string): Predicate => ({ op: "not_null", column });

/** All of them; no predicate at all is true. */
export const and = (...of: readonly Predicate[]): Predicate => (of.length === 1 ? of[0]! : { op: "and", of });

/** Any of them; no predicate at all is false. */
export const or = (...of: readonly Predicate[]): Predicate => (of.length === 1 ? of[0]! : { op: "or", of });

/** The names of the columns that the predicate reads. */
export function predicateColumns(predicate: Predicate): Set<string> {
  const names = new Set<string>();
  const visit = (node: Predicate): void => {
    if (node.op === "and" || node.op === "or") node.of.forEach(visit);
    else names.add(node.column);
  };
  visit(predicate);
  return names;
}
