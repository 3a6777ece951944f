import { sqlBlob, sqlDouble, sqlString } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import { compareLiterals } from "../manifest/compare-literals.ts";
import { decimalType } from "../manifest/primitive-type.ts";
import { columnByName, isNested, type PrimitiveType, type Schema } from "../metadata/schema.ts";
import type { ColumnPredicate, Literal, Predicate } from "./predicate.ts";

/**
 * A predicate as an SQL condition.
 * @param columnSql how a column of this field id is written
 * @throws LakeError `invalid` for a column that the schema lacks or that is nested
 */
export function predicateSql(where: Predicate, schema: Schema, columnSql: (fieldId: number) => string): string {
  if (where.op === "and" || where.op === "or") {
    const parts = where.of.map((part) => predicateSql(part, schema, columnSql));
    if (parts.length === 0) return where.op === "and" ? "true" : "false";
    return `(${parts.join(where.op === "and" ? " AND " : " OR ")})`;
  }
  const column = columnByName(schema, where.column);
  if (column === undefined || (isNested(column.type) && !where.op.endsWith("null"))) {
    throw new LakeError("invalid", `cannot filter by column ${where.column}`, { context: { column: where.column } });
  }
  return comparisonSql(where, column.type as PrimitiveType, columnSql(column.id));
}

const operators = { eq: "=", lt: "<", lte: "<=", gt: ">", gte: ">=" } as const;

function comparisonSql(where: ColumnPredicate, type: PrimitiveType, column: string): string {
  switch (where.op) {
    case "is_null":
      return `${column} IS NULL`;
    case "not_null":
      return `${column} IS NOT NULL`;
    case "in":
      return inSql(where.values, type, column);
    default:
      return `${column} ${operators[where.op]} ${literalSql(type, where.value)}`;
  }
}

/** The range beside the list lets DuckDB skip row groups by their statistics. */
function inSql(values: readonly Literal[], type: PrimitiveType, column: string): string {
  if (values.length === 0) return "false";
  const list = values.map((value) => literalSql(type, value)).join(", ");
  if (values.length === 1) return `${column} = ${list}`;
  let [lowest, highest] = [values[0]!, values[0]!];
  for (const value of values) {
    if (compareLiterals(value, lowest) < 0) lowest = value;
    if (compareLiterals(value, highest) > 0) highest = value;
  }
  const range = `${column} BETWEEN ${literalSql(type, lowest)} AND ${literalSql(type, highest)}`;
  return `(${range} AND ${column} IN (${list}))`;
}

/** A literal of Iceberg's domain (see `Literal`) as SQL of the column's DuckDB type. */
export function literalSql(type: PrimitiveType, value: Literal): string {
  switch (type) {
    case "boolean":
      return value === true ? "true" : "false";
    case "int":
    case "long":
      return wholeNumber(value);
    case "float":
      return `${sqlDouble(Number(value))}::FLOAT`;
    case "double":
      return sqlDouble(Number(value));
    case "date":
      return `(DATE '1970-01-01' + ${wholeNumber(value)})`;
    case "time":
      return `(TIME '00:00:00' + to_microseconds(${wholeNumber(value)}))`;
    case "timestamp":
      return `make_timestamp(${wholeNumber(value)}::BIGINT)`;
    case "timestamptz":
      return `make_timestamptz(${wholeNumber(value)}::BIGINT)`;
    case "timestamp_ns":
      return `make_timestamp_ns(${wholeNumber(value)}::BIGINT)`;
    case "string":
      return sqlString(value as string);
    case "uuid":
      return `${sqlString(value as string)}::UUID`;
    default:
      return otherLiteral(type, value);
  }
}

function otherLiteral(type: PrimitiveType, value: Literal): string {
  const decimal = decimalType(type);
  if (decimal !== undefined) return decimalSql(BigInt(value as number | bigint), decimal.precision, decimal.scale);
  if (value instanceof Uint8Array) return sqlBlob(value);
  throw new LakeError("unsupported", `no literal of type ${type}`, { context: { type } });
}

function decimalSql(unscaled: bigint, precision: number, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  const text = `${unscaled < 0n ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`;
  return `'${text}'::DECIMAL(${precision}, ${scale})`;
}

function wholeNumber(value: Literal): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value).toString();
  throw new LakeError("invalid", "a whole number is needed to filter by this column");
}
