import { shapeError } from "./json-shape.ts";
import type { PartitionField, PartitionSpec } from "./partition-spec.ts";
import { allFields, isNested, type FieldPlace, type IcebergType, type Schema } from "./schema.ts";
import type { SortOrder } from "./sort-order.ts";

/** The rules that a schema, spec and sort order keep before they enter a table. All throw LakeError `invalid`. */

const V3_TYPES = /^(?:timestamp_ns|timestamptz_ns|unknown|variant|geometry|geography)/;
const TIME_SOURCES = ["timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"];
const DATE_SOURCES = ["date", ...TIME_SOURCES];
const BUCKET_SOURCES = [...DATE_SOURCES, "int", "long", "time", "string", "uuid", "binary"];
const TRUNCATE_SOURCES = ["int", "long", "string", "binary"];
const PARAMETER_MAX = 2 ** 31 - 1;

/**
 * Ids and full names are unique, types exist in this format version, identifier fields are required primitive columns
 * outside of lists and maps (specification, "Identifier Field IDs").
 */
export function validateSchema(schema: Schema, formatVersion: number): void {
  const places = allFields(schema);
  const byId = new Map<number, FieldPlace>();
  const byPath = new Map<string, number>();
  for (const place of places) {
    const { id, type } = place.field;
    if (id < 1) throw invalidSchema(`field id of ${place.path} must be positive: ${id}`);
    const other = byId.get(id);
    if (other !== undefined) throw invalidSchema(`multiple fields for id ${id}: ${other.path} and ${place.path}`);
    const twin = byPath.get(place.path);
    if (twin !== undefined) throw invalidSchema(`multiple fields for name ${place.path}: ${twin} and ${id}`);
    byId.set(id, place);
    byPath.set(place.path, id);
    if (formatVersion < 3) validateForV2(place, type);
  }
  for (const id of schema["identifier-field-ids"] ?? []) validateIdentifier(id, byId);
}

function validateForV2(place: FieldPlace, type: IcebergType): void {
  if (typeof type === "string" && V3_TYPES.test(type)) {
    throw invalidSchema(`invalid type for ${place.path}: ${type} is not supported until v3`);
  }
  const defaults = place.field as { "initial-default"?: unknown };
  if (defaults["initial-default"] !== undefined && defaults["initial-default"] !== null) {
    throw invalidSchema(`invalid initial default for ${place.path}: a default is not supported until v3`);
  }
}

function validateIdentifier(id: number, byId: ReadonlyMap<number, FieldPlace>): void {
  const place = byId.get(id);
  if (place === undefined) throw invalidSchema(`cannot add field ${id} as an identifier field: it does not exist`);
  const refuse = (why: string): Error => invalidSchema(`cannot add field ${place.path} as an identifier field: ${why}`);
  const { type, required } = place.field;
  if (isNested(type)) throw refuse("not a primitive type field");
  if (!required) throw refuse("not a required field");
  if (type === "float" || type === "double") throw refuse("must not be float or double field");
  for (const parent of place.parents) {
    const around = byId.get(parent);
    if (around === undefined || !isNested(around.field.type) || around.field.type.type !== "struct") {
      throw refuse("must not be nested in a list or map");
    }
    if (!around.field.required) throw refuse(`must not be nested in the optional field ${around.path}`);
  }
}

/** Names are unique and free, sources are primitive columns that the transform takes. */
export function validateSpec(spec: PartitionSpec, schema: Schema): void {
  const names = new Set<string>();
  const ids = new Set<number>();
  const sources = new Set<string>();
  for (const field of spec.fields) {
    if (names.has(field.name)) throw invalidSpec(`cannot use partition name more than once: ${field.name}`);
    if (ids.has(field["field-id"])) throw invalidSpec(`cannot use field id more than once: ${field["field-id"]}`);
    names.add(field.name);
    ids.add(field["field-id"]);
    const source = `${field["source-id"]} ${field.transform}`;
    if (field.transform !== "void" && sources.has(source)) {
      throw invalidSpec(`cannot add redundant partition field ${field.name}: ${field.transform} of the same column`);
    }
    sources.add(source);
    validatePartitionField(field, schema);
  }
}

function validatePartitionField(field: PartitionField, schema: Schema): void {
  if (field.transform === "void") return;
  const place = primitiveSource(schema, field["source-id"], `partition field ${field.name}`, invalidSpec);
  const sameName = schema.fields.find((column) => column.name === field.name);
  if (sameName !== undefined && !(field.transform === "identity" && sameName.id === field["source-id"])) {
    throw invalidSpec(`cannot create partition from name that exists in schema: ${field.name}`);
  }
  validateTransform(field.transform, place.field.type as string, field.name, invalidSpec);
}

export function validateSortOrder(order: SortOrder, schema: Schema): void {
  for (const field of order.fields) {
    const place = primitiveSource(schema, field["source-id"], "sort field", invalidOrder);
    validateTransform(field.transform, place.field.type as string, place.path, invalidOrder);
  }
  if (order["order-id"] === 0 && order.fields.length > 0) throw invalidOrder("order id 0 is reserved for unsorted");
}

type Refusal = (rule: string) => Error;

function primitiveSource(schema: Schema, sourceId: number, what: string, refuse: Refusal): FieldPlace {
  const places = allFields(schema);
  const place = places.find((candidate) => candidate.field.id === sourceId);
  if (place === undefined) throw refuse(`cannot find source column for ${what}: id ${sourceId}`);
  if (isNested(place.field.type)) throw refuse(`${what}: cannot use the non-primitive column ${place.path}`);
  const inStructs = place.parents.every((parent) => {
    const type = places.find((candidate) => candidate.field.id === parent)?.field.type;
    return type !== undefined && isNested(type) && type.type === "struct";
  });
  if (!inStructs) throw refuse(`${what}: ${place.path} lies in a list or map`);
  return place;
}

/** Transform names and the types they take (specification, "Partition Transforms"). */
function validateTransform(transform: string, type: string, name: string, refuse: Refusal): void {
  const kind = /^(bucket|truncate)\[(\d+)\]$/.exec(transform);
  const base = type.replace(/[([].*$/, "");
  if (kind !== null) {
    const parameter = Number(kind[2]);
    if (parameter < 1 || parameter > PARAMETER_MAX) throw refuse(`${name}: ${transform} needs a positive 32-bit width`);
    const taken = kind[1] === "bucket" ? [...BUCKET_SOURCES, "decimal", "fixed"] : [...TRUNCATE_SOURCES, "decimal"];
    if (!taken.includes(base)) throw refuse(`${name}: ${transform} cannot transform ${type} values`);
    return;
  }
  const sources: Readonly<Record<string, readonly string[]>> = {
    year: DATE_SOURCES,
    month: DATE_SOURCES,
    day: DATE_SOURCES,
    hour: TIME_SOURCES,
  };
  if (transform === "identity" || transform === "void") return;
  const taken = Object.hasOwn(sources, transform) ? sources[transform] : undefined;
  if (taken === undefined) throw refuse(`${name}: unknown transform ${JSON.stringify(transform)}`);
  if (!taken.includes(base)) throw refuse(`${name}: ${transform} cannot transform ${type} values`);
}

const invalidSchema: Refusal = (rule) => shapeError("schema", rule);
const invalidSpec: Refusal = (rule) => shapeError("partition-spec", rule);
const invalidOrder: Refusal = (rule) => shapeError("sort-order", rule);
