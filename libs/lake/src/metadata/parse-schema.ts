import {
  booleanAt,
  integerAt,
  listAt,
  nonEmptyStringAt,
  objectAt,
  optionalAt,
  shapeError,
  stringAt,
  under,
  type JsonObject,
} from "./json-shape.ts";
import type { PartitionSpec, UnnumberedPartitionSpec } from "./partition-spec.ts";
import type { IcebergType, Schema, StructField, UnnumberedSchema } from "./schema.ts";
import type { SortField, SortOrder, UnnumberedSortOrder } from "./sort-order.ts";

const SIMPLE_TYPES: ReadonlySet<string> = new Set([
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "date",
  "time",
  "timestamp",
  "timestamptz",
  "timestamp_ns",
  "timestamptz_ns",
  "string",
  "uuid",
  "binary",
  "unknown",
  "variant",
]);
const PARAMETER_TYPE = /^(?:fixed\[\d+\]|geometry(?:\(.*\))?|geography(?:\(.*\))?)$/;
const DECIMAL = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/;
const DECIMAL_PRECISION_MAX = 38;
const TYPE_DEPTH_MAX = 60;

/** Checks the name of a primitive type. */
export function primitiveTypeAt(text: string, path: string): string {
  if (SIMPLE_TYPES.has(text) || PARAMETER_TYPE.test(text)) return text;
  const decimal = DECIMAL.exec(text);
  if (decimal === null) throw shapeError(path, `unknown type ${JSON.stringify(text)}`);
  const precision = Number(decimal[1]);
  if (precision < 1 || precision > DECIMAL_PRECISION_MAX || Number(decimal[2]) > precision) {
    throw shapeError(path, `decimal needs a precision of 1 to ${DECIMAL_PRECISION_MAX} and a scale within it`);
  }
  return text;
}

/** A type as the specification writes it: a name, or an object with `type` struct, list or map. */
export function typeAt(value: unknown, path: string, depth = 0): IcebergType {
  if (typeof value === "string") return primitiveTypeAt(value, path) as IcebergType;
  if (depth > TYPE_DEPTH_MAX) throw shapeError(path, `types nest deeper than ${TYPE_DEPTH_MAX} levels`);
  const object = objectAt(value, path);
  switch (object["type"]) {
    case "struct":
      listAt(object["fields"], under(path, "fields"), (field, at) => fieldAt(field, at, depth + 1));
      break;
    case "list":
      integerAt(object["element-id"], under(path, "element-id"));
      booleanAt(object["element-required"], under(path, "element-required"));
      typeAt(object["element"], under(path, "element"), depth + 1);
      break;
    case "map":
      integerAt(object["key-id"], under(path, "key-id"));
      typeAt(object["key"], under(path, "key"), depth + 1);
      integerAt(object["value-id"], under(path, "value-id"));
      booleanAt(object["value-required"], under(path, "value-required"));
      typeAt(object["value"], under(path, "value"), depth + 1);
      break;
    default:
      throw shapeError(under(path, "type"), "must be struct, list or map, or the type a name");
  }
  return object as unknown as IcebergType;
}

function fieldAt(value: unknown, path: string, depth: number): StructField {
  const field = objectAt(value, path);
  integerAt(field["id"], under(path, "id"));
  nonEmptyStringAt(field["name"], under(path, "name"));
  booleanAt(field["required"], under(path, "required"));
  typeAt(field["type"], under(path, "type"), depth);
  optionalAt(field["doc"], under(path, "doc"), stringAt);
  return withoutNull(field, "doc") as unknown as StructField;
}

/** A schema; `schema-id` may be left out, as in requests. */
export function schemaAt(value: unknown, path: string): UnnumberedSchema {
  const schema = objectAt(value, path);
  if (schema["type"] !== "struct") throw shapeError(under(path, "type"), "must be struct");
  listAt(schema["fields"], under(path, "fields"), (field, at) => fieldAt(field, at, 1));
  optionalAt(schema["schema-id"], under(path, "schema-id"), integerAt);
  optionalAt(schema["identifier-field-ids"], under(path, "identifier-field-ids"), (ids, at) =>
    listAt(ids, at, integerAt),
  );
  return withoutNull(schema, "schema-id", "identifier-field-ids") as unknown as UnnumberedSchema;
}

/** A schema as it stands in metadata, with its id. */
export function numberedSchemaAt(value: unknown, path: string): Schema {
  const schema = schemaAt(value, path);
  integerAt(schema["schema-id"], under(path, "schema-id"));
  return schema as Schema;
}

/** A partition spec from JSON. @throws LakeError `invalid` with the path of what is wrong */
export function partitionSpecAt(value: unknown, path: string): UnnumberedPartitionSpec {
  const spec = objectAt(value, path);
  optionalAt(spec["spec-id"], under(path, "spec-id"), integerAt);
  const fields = listAt(spec["fields"], under(path, "fields"), (item, at) => {
    const field = objectAt(item, at);
    integerAt(field["source-id"] ?? onlyOf(field["source-ids"]), under(at, "source-id"));
    optionalAt(field["field-id"], under(at, "field-id"), integerAt);
    nonEmptyStringAt(field["name"], under(at, "name"));
    nonEmptyStringAt(field["transform"], under(at, "transform"));
    return { ...withoutNull(field, "field-id"), "source-id": field["source-id"] ?? onlyOf(field["source-ids"]) };
  });
  return { ...withoutNull(spec, "spec-id"), fields } as unknown as UnnumberedPartitionSpec;
}

/** A spec as it stands in metadata, with its id and those of its fields. */
export function numberedPartitionSpecAt(value: unknown, path: string): PartitionSpec {
  const spec = partitionSpecAt(value, path);
  integerAt(spec["spec-id"], under(path, "spec-id"));
  return spec as PartitionSpec;
}

function sortFieldAt(value: unknown, path: string): SortField {
  const field = objectAt(value, path);
  const source = field["source-id"] ?? onlyOf(field["source-ids"]);
  integerAt(source, under(path, "source-id"));
  nonEmptyStringAt(field["transform"], under(path, "transform"));
  if (field["direction"] !== "asc" && field["direction"] !== "desc") {
    throw shapeError(under(path, "direction"), "must be asc or desc");
  }
  if (field["null-order"] !== "nulls-first" && field["null-order"] !== "nulls-last") {
    throw shapeError(under(path, "null-order"), "must be nulls-first or nulls-last");
  }
  return { ...field, "source-id": source } as unknown as SortField;
}

/** A sort order from JSON. @throws LakeError `invalid` with the path of what is wrong */
export function sortOrderAt(value: unknown, path: string): UnnumberedSortOrder {
  const order = objectAt(value, path);
  optionalAt(order["order-id"], under(path, "order-id"), integerAt);
  const fields = listAt(order["fields"], under(path, "fields"), sortFieldAt);
  return { ...withoutNull(order, "order-id"), fields } as unknown as UnnumberedSortOrder;
}

export function numberedSortOrderAt(value: unknown, path: string): SortOrder {
  const order = sortOrderAt(value, path);
  integerAt(order["order-id"], under(path, "order-id"));
  return order as SortOrder;
}

/** v3 writers may send `source-ids`; with one element it is the same as `source-id`. */
function onlyOf(ids: unknown): unknown {
  return Array.isArray(ids) && ids.length === 1 ? ids[0] : undefined;
}

/** Drops keys whose value is null, so that "absent" has one form inside. */
export function withoutNull(object: JsonObject, ...keys: readonly string[]): JsonObject {
  if (keys.every((key) => object[key] !== null)) return object;
  return Object.fromEntries(Object.entries(object).filter(([key, value]) => value !== null || !keys.includes(key)));
}
