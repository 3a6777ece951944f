import type { CreateTableRequest, TableIdentifier } from "../catalog/catalog.ts";
import { shapeError } from "./json-shape.ts";
import { primitiveTypeAt } from "./parse-schema.ts";
import type { IcebergType, PrimitiveType, StructField, UnnumberedSchema } from "./schema.ts";

/**
 * Tables described by plain lists of columns, as a dataset describes them. The ids made here only link the parts of
 * one request; the catalog assigns its own.
 */
export interface DefinedColumn {
  readonly name: string;
  /** A primitive type's name, `list<…>` or `map<…,…>`; list elements and map values are optional. */
  readonly type: string;
  readonly required: boolean;
  readonly doc?: string;
}

export interface DefinedPartitionField {
  readonly source: string;
  readonly transform: string;
  readonly name: string;
}

export interface DefinedTable {
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly DefinedColumn[];
  /** Columns that name a row. */
  readonly identity: readonly string[];
  readonly partition: readonly DefinedPartitionField[];
  /** Columns that files are sorted by, ascending, nulls first. */
  readonly sort: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

/** Old metadata files go with the commit that makes them old: without it one file a commit stays for ever. */
const DEFAULT_PROPERTIES: Readonly<Record<string, string>> = {
  "write.metadata.delete-after-commit.enabled": "true",
  "write.metadata.previous-versions-max": "100",
};

/** The identifier of a defined table; dots in `namespace` separate levels. */
export function definedIdentifier(definition: Pick<DefinedTable, "namespace" | "name">): TableIdentifier {
  return { namespace: definition.namespace.split("."), name: definition.name };
}

/** @throws LakeError `invalid` when a partition, sort or identity column is not among the columns. */
export function createTableRequest(definition: Omit<DefinedTable, "namespace" | "name">): CreateTableRequest {
  const schema = schemaFromColumns(definition.columns, definition.identity);
  return {
    schema,
    partitionSpec: {
      fields: definition.partition.map((field) => ({
        "source-id": columnId(schema, field.source, "partition"),
        name: field.name,
        transform: field.transform,
      })),
    },
    sortOrder: {
      fields: definition.sort.map((column) => ({
        "source-id": columnId(schema, column, "sort"),
        transform: "identity",
        direction: "asc",
        "null-order": "nulls-first",
      })),
    },
    properties: { ...DEFAULT_PROPERTIES, ...definition.properties },
  };
}

/** A schema with ids 1..n for the columns in order, then those of nested parts. */
export function schemaFromColumns(
  columns: readonly DefinedColumn[],
  identity: readonly string[] = [],
): UnnumberedSchema {
  let lastId = columns.length;
  const nextId = (): number => (lastId += 1);
  const fields: StructField[] = columns.map((column, index) => ({
    id: index + 1,
    name: column.name,
    required: column.required,
    type: parseType(column.type, `columns.${column.name}.type`, nextId),
    ...(column.doc === undefined ? {} : { doc: column.doc }),
  }));
  const schema: UnnumberedSchema = { type: "struct", fields };
  if (identity.length === 0) return schema;
  return { ...schema, "identifier-field-ids": identity.map((column) => columnId(schema, column, "identity")) };
}

/** The type that a column's text names. The ids of its parts count from 1: they mean nothing outside it. */
export function definedType(text: string): IcebergType {
  return parseDefinedType(text, "type");
}

/** @throws LakeError `invalid` naming `path` */
export function parseDefinedType(text: string, path: string): IcebergType {
  let lastId = 0;
  return parseType(text, path, () => (lastId += 1));
}

function columnId(schema: UnnumberedSchema, name: string, path: string): number {
  const id = schema.fields.find((field) => field.name === name)?.id;
  if (id === undefined) throw shapeError(path, `${name} is not a column`);
  return id;
}

function parseType(text: string, path: string, nextId: () => number): IcebergType {
  const nested = /^(list|map)<(.*)>$/s.exec(text.trim());
  if (nested === null) return primitiveTypeAt(text.trim(), path) as PrimitiveType;
  const inner = nested[2] as string;
  if (nested[1] === "list") {
    const elementId = nextId();
    const element = parseType(inner, path, nextId);
    return { type: "list", "element-id": elementId, "element-required": false, element };
  }
  const comma = topLevelComma(inner);
  if (comma === -1) throw shapeError(path, "map needs a key and a value type");
  const [keyId, valueId] = [nextId(), nextId()];
  return {
    type: "map",
    "key-id": keyId,
    key: parseType(inner.slice(0, comma), path, nextId),
    "value-id": valueId,
    "value-required": false,
    value: parseType(inner.slice(comma + 1), path, nextId),
  };
}

/** The comma between key and value, not one inside `decimal(9,2)` or another map. */
function topLevelComma(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] as string;
    if ("<([".includes(character)) depth += 1;
    else if (">)]".includes(character)) depth -= 1;
    else if (character === "," && depth === 0) return index;
  }
  return -1;
}
