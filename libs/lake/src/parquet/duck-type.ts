import { sqlName } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import { decimalType } from "../manifest/primitive-type.ts";
import type { IcebergType, PrimitiveType, StructField } from "../metadata/schema.ts";

const plainTypes: Readonly<Partial<Record<PrimitiveType, string>>> = {
  boolean: "BOOLEAN",
  int: "INTEGER",
  long: "BIGINT",
  float: "FLOAT",
  double: "DOUBLE",
  date: "DATE",
  time: "TIME",
  timestamp: "TIMESTAMP",
  timestamptz: "TIMESTAMPTZ",
  timestamp_ns: "TIMESTAMP_NS",
  string: "VARCHAR",
  uuid: "UUID",
  binary: "BLOB",
};

/**
 * DuckDB's name of an Iceberg type, so that Parquet files read and written with it have the physical types of the
 * Iceberg specification, appendix A "Parquet".
 * @throws LakeError `unsupported` for what DuckDB cannot write so: `timestamptz_ns` and the types of v3.
 */
export function duckType(type: IcebergType): string {
  if (typeof type === "string") return primitiveDuckType(type);
  switch (type.type) {
    case "struct":
      return `STRUCT(${type.fields.map((field) => `${sqlName(field.name)} ${duckType(field.type)}`).join(", ")})`;
    case "list":
      return `${duckType(type.element)}[]`;
    case "map":
      return `MAP(${duckType(type.key)}, ${duckType(type.value)})`;
  }
}

function primitiveDuckType(type: PrimitiveType): string {
  const plain = plainTypes[type];
  if (plain !== undefined) return plain;
  const decimal = decimalType(type);
  if (decimal !== undefined) return `DECIMAL(${decimal.precision}, ${decimal.scale})`;
  // A fixed column is written as variable-length bytes, which readers take for binary.
  if (type.startsWith("fixed[")) return "BLOB";
  throw new LakeError("unsupported", `columns of type ${type} are not read or written`, { context: { type } });
}

/** The FIELD_IDS option of COPY for these columns, nested fields included. */
export function fieldIdsSql(columns: readonly StructField[]): string {
  return `{${columns.map((column) => `${sqlName(column.name)}: ${fieldIdSql(column.id, column.type)}`).join(", ")}}`;
}

function fieldIdSql(id: number, type: IcebergType): string {
  if (typeof type === "string") return String(id);
  const nested = (inner: string): string => `{__duckdb_field_id: ${id}, ${inner}}`;
  switch (type.type) {
    case "struct":
      return nested(
        type.fields.map((field) => `${sqlName(field.name)}: ${fieldIdSql(field.id, field.type)}`).join(", "),
      );
    case "list":
      return nested(`element: ${fieldIdSql(type["element-id"], type.element)}`);
    case "map":
      return nested(`key: ${fieldIdSql(type["key-id"], type.key)}, value: ${fieldIdSql(type["value-id"], type.value)}`);
  }
}
