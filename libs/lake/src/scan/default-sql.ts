import { sqlBlob, sqlDouble, sqlName, sqlString } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import { decimalType } from "../manifest/primitive-type.ts";
import { isNested, type NestedType, type PrimitiveType, type StructField } from "../metadata/schema.ts";
import { duckType } from "../parquet/duck-type.ts";

/**
 * The `initial-default` of a field as an SQL constant of its type: what rows have that were written before the field
 * was added (specification, "Default values"; the JSON form is appendix C, "JSON single-value serialization").
 * @throws LakeError `corrupt` when the value does not fit the type
 */
export function defaultSql(field: StructField): string {
  const value = field["initial-default"] ?? null;
  const type = duckType(field.type);
  if (value === null) return `NULL::${type}`;
  if (isNested(field.type)) return nestedDefault(field, field.type, value);
  const text = primitiveText(field.type, value);
  if (text === undefined) throw misfit(field);
  return `CAST(${text} AS ${type})`;
}

/** A struct's default may be `{}` only: its fields have their own. */
function nestedDefault(field: StructField, type: NestedType, value: unknown): string {
  const isEmpty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  if (!isEmpty) throw misfit(field);
  if (type.type === "list") return `[]::${duckType(type)}`;
  if (type.type === "map") return `MAP {}::${duckType(type)}`;
  const parts = type.fields.map((part) => `${sqlName(part.name)} := ${defaultSql(part)}`);
  return `struct_pack(${parts.join(", ")})`;
}

const DATE = /^-?\d{4,6}-\d\d-\d\d$/;
const TIME = /^\d\d:\d\d(:\d\d(\.\d{1,9})?)?$/;
const TIMESTAMP = /^-?\d{4,6}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?$/;
const TIMESTAMPTZ = /^-?\d{4,6}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(\+00:00|Z)$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HEX = /^([0-9a-f]{2})*$/i;
const DECIMAL = /^-?\d{1,38}(\.\d{1,38})?(E[+-]?\d{1,3})?$/i;

const TEXT_RULES: Readonly<Record<string, RegExp>> = {
  date: DATE,
  time: TIME,
  timestamp: TIMESTAMP,
  timestamptz: TIMESTAMPTZ,
  timestamp_ns: TIMESTAMP,
  uuid: UUID,
};

function primitiveText(type: PrimitiveType, value: unknown): string | undefined {
  if (type === "boolean") return typeof value === "boolean" ? String(value) : undefined;
  if (type === "int" || type === "long") {
    return typeof value === "bigint" || Number.isInteger(value) ? String(value) : undefined;
  }
  if (type === "float" || type === "double") return typeof value === "number" ? sqlDouble(value) : undefined;
  if (typeof value !== "string") return undefined;
  if (type === "string") return sqlString(value);
  if (type === "binary" || type.startsWith("fixed[")) {
    return HEX.test(value) ? sqlBlob(Buffer.from(value, "hex")) : undefined;
  }
  if (decimalType(type) !== undefined) return DECIMAL.test(value) ? sqlString(value) : undefined;
  return TEXT_RULES[type]?.test(value) === true ? sqlString(value) : undefined;
}

function misfit(field: StructField): LakeError {
  return new LakeError("corrupt", `the initial default of column ${field.name} is no value of its type`, {
    context: { column: field.name },
  });
}
