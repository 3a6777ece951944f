import { sqlName, sqlString } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import { decimalType } from "../manifest/primitive-type.ts";
import type { NameMapping } from "../metadata/name-mapping.ts";
import { isNested, type IcebergType, type PrimitiveType, type StructField } from "../metadata/schema.ts";
import { duckType } from "../parquet/duck-type.ts";
import { defaultSql } from "./default-sql.ts";
import type { ParquetColumns, ParquetNode } from "./parquet-schema.ts";

/** How one column of a scan is found in a file. */
export type ColumnReading =
  /**
   * In a column of the file: `sql` over the file's own names. `byId`: the kernel also finds the whole of it by its field
   * id, because parts of a nested one have the names that they have in the scan.
   */
  { readonly kind: "own"; readonly byId: boolean; readonly sql: () => string } | { readonly kind: "absent" };

/** What is known by name only gets the ids of a mapping; a file that has ids keeps its own. */
export function withMappedIds(file: ParquetColumns, mapping: NameMapping | undefined): readonly ParquetNode[] {
  return mapping === undefined || hasIds(file.columns) ? file.columns : mapped(file.columns, mapping);
}

export function hasIds(nodes: readonly ParquetNode[]): boolean {
  return nodes.some((node) => node.fieldId !== undefined || hasIds(node.children));
}

function mapped(nodes: readonly ParquetNode[], mapping: NameMapping, names?: readonly string[]): ParquetNode[] {
  return nodes.map((node, at) => {
    const found = mapping.get(names?.[at] ?? node.name);
    const childNames = node.type === "list" ? ["element"] : node.type === "map" ? ["key", "value"] : undefined;
    const children = mapped(node.children, found?.fields ?? new Map(), childNames);
    return { ...node, fieldId: found?.fieldId, children };
  });
}

/**
 * How `column` is read from a file with these columns (specification, "Column Projection" and "Schema Evolution").
 * @throws LakeError `corrupt` where the file's type is none that the column can have had
 */
export function columnReading(column: StructField, nodes: readonly ParquetNode[]): ColumnReading {
  const node = nodes.find((candidate) => candidate.fieldId === column.id);
  if (node === undefined) return { kind: "absent" };
  const byId = checkTypes(column.name, column.type, node);
  return { kind: "own", byId, sql: () => valueSql(sqlName(node.name), column.type, node, 0) };
}

/** True when the kernel converts the whole by itself: parts of the same ids have the same names, and types cast. */
function checkTypes(path: string, type: IcebergType, node: ParquetNode): boolean {
  if (!isNested(type)) {
    if (!isReadable(type, node.type)) throw wrongType(path, type, node);
    return !isBytesOf(type, node.type);
  }
  if (type.type !== node.type) throw wrongType(path, type.type, node);
  switch (type.type) {
    case "list":
      return checkTypes(`${path}.element`, type.element, node.children[0]!);
    case "map": {
      const [key, value] = node.children;
      const simpleKey = checkTypes(`${path}.key`, type.key, key!);
      return checkTypes(`${path}.value`, type.value, value!) && simpleKey;
    }
    case "struct":
      return type.fields.map((field) => checkField(`${path}.${field.name}`, field, node.children)).every(Boolean);
  }
}

function checkField(path: string, field: StructField, siblings: readonly ParquetNode[]): boolean {
  const node = siblings.find((candidate) => candidate.fieldId === field.id);
  const sameName = siblings.some((sibling) => sibling.name.toLowerCase() === field.name.toLowerCase());
  if (node !== undefined) return checkTypes(path, field.type, node) && node.name === field.name;
  if (field.required && field["initial-default"] === undefined) throw lacking(path);
  return !sameName && (field["initial-default"] ?? null) === null;
}

/** The value of a part of a file, as the scan wants it. */
function valueSql(value: string, type: IcebergType, node: ParquetNode, depth: number): string {
  if (!isNested(type)) return primitiveSql(value, type, node.type);
  const unlessNull = (sql: string): string => `CASE WHEN ${value} IS NULL THEN NULL ELSE ${sql} END`;
  const item = `e${depth}`;
  switch (type.type) {
    case "list":
      return `list_transform(${value}, lambda ${item}: ${valueSql(item, type.element, node.children[0]!, depth + 1)})`;
    case "map": {
      const part = (name: string, at: 0 | 1, of: IcebergType): string =>
        valueSql(`struct_extract(${item}, '${name}')`, of, node.children[at]!, depth + 1);
      const entry = `struct_pack(k := ${part("key", 0, type.key)}, v := ${part("value", 1, type.value)})`;
      return unlessNull(`map_from_entries(list_transform(map_entries(${value}), lambda ${item}: ${entry}))`);
    }
    case "struct": {
      const fields = type.fields.map((field) => {
        const child = node.children.find((candidate) => candidate.fieldId === field.id);
        const sql = child === undefined ? defaultSql(field) : childSql(value, field.type, child, depth);
        return `${sqlName(field.name)} := ${sql}`;
      });
      return unlessNull(`struct_pack(${fields.join(", ")})`);
    }
  }
}

function childSql(value: string, type: IcebergType, child: ParquetNode, depth: number): string {
  return valueSql(`struct_extract(${value}, ${sqlString(child.name)})`, type, child, depth);
}

function primitiveSql(value: string, type: PrimitiveType, fileType: string): string {
  if (type === "string" && isBytesOf(type, fileType)) return `decode(${value})`;
  if (type === "uuid" && isBytesOf(type, fileType)) return `CAST(hex(${value}) AS UUID)`;
  return `CAST(${value} AS ${duckType(type)})`;
}

/** Values that stand in the file as bare bytes and must be read as what they mean. */
function isBytesOf(type: PrimitiveType, fileType: string): boolean {
  return (type === "string" && fileType === "binary") || (type === "uuid" && fileType === "fixed[16]");
}

/** File types that a column of a type may have: its own, those that it was widened from, and other spellings. */
const READABLE: Readonly<Record<string, readonly string[]>> = {
  long: ["int"],
  double: ["float"],
  string: ["binary"],
  binary: ["string"],
  uuid: ["fixed[16]"],
  timestamp: ["timestamptz", "timestamp_ns", "timestamptz_ns", "int96", "date"],
  timestamptz: ["timestamp", "timestamp_ns", "timestamptz_ns", "int96"],
  timestamp_ns: ["timestamp", "int96", "date"],
};

function isReadable(type: PrimitiveType, fileType: string): boolean {
  if (type === fileType || READABLE[type]?.includes(fileType) === true) return true;
  const decimal = decimalType(type);
  if (decimal !== undefined) {
    const stored = decimalType(fileType as PrimitiveType);
    return stored !== undefined && stored.scale === decimal.scale && stored.precision <= decimal.precision;
  }
  return type.startsWith("fixed[") && (fileType === "binary" || fileType.startsWith("fixed["));
}

function wrongType(path: string, wanted: string, node: ParquetNode): LakeError {
  return new LakeError("corrupt", `column ${path} is ${node.type} in the file and ${wanted} in the table`, {
    context: { column: path },
  });
}

export function lacking(path: string): LakeError {
  return new LakeError("corrupt", `the required column ${path} is not in the file`, { context: { column: path } });
}
