import { shapeError } from "./json-shape.ts";
import type { MetadataDraft } from "./metadata-draft.ts";
import {
  NO_PARTITION_FIELD_ID,
  type PartitionField,
  type PartitionSpec,
  type UnnumberedPartitionSpec,
} from "./partition-spec.ts";
import { highestFieldId, type Schema, type UnnumberedSchema } from "./schema.ts";
import { UNSORTED, type SortOrder, type UnnumberedSortOrder } from "./sort-order.ts";
import { LAST_ADDED } from "./updates.ts";
import { validateSchema, validateSortOrder, validateSpec } from "./validate-table.ts";

/** Schemas, partition specs and sort orders: each is added once, found again when it is added twice, and referred to by id. */

export function addSchema(draft: MetadataDraft, added: UnnumberedSchema): void {
  const { "schema-id": _, ...rest } = added;
  const highest = highestFieldId(added);
  const existing = draft.schemas.find((schema) => sameSchema(schema, added));
  const id = existing?.["schema-id"] ?? 1 + Math.max(-1, ...draft.schemas.map((schema) => schema["schema-id"]));
  const schema: Schema = { ...rest, "schema-id": id };
  if (existing === undefined) {
    validateSchema(schema, draft.formatVersion);
    draft.schemas.push(schema);
  }
  draft.lastColumnId = Math.max(draft.lastColumnId, highest);
  draft.lastAddedSchemaId = id;
}

/** Equal columns and identifiers, whatever the schemas' ids are. */
export function sameSchema(schema: UnnumberedSchema, added: UnnumberedSchema): boolean {
  const identifiers = (ids: readonly number[] | undefined): string => [...(ids ?? [])].sort((a, b) => a - b).join();
  return (
    identifiers(schema["identifier-field-ids"]) === identifiers(added["identifier-field-ids"]) &&
    sameJson(schema.fields, added.fields)
  );
}

/** Equal data, whatever the order of keys. */
function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  const leftKeys = Object.keys(left);
  if (leftKeys.length !== Object.keys(right).length) return false;
  return leftKeys.every(
    (key) =>
      Object.hasOwn(right, key) &&
      sameJson((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key]),
  );
}

export function setCurrentSchema(draft: MetadataDraft, schemaId: number): void {
  const id = schemaId === LAST_ADDED ? draft.lastAddedSchemaId : schemaId;
  if (id === undefined) throw shapeError("set-current-schema.schema-id", "no schema has been added in this commit");
  if (!draft.schemas.some((schema) => schema["schema-id"] === id)) {
    throw shapeError("set-current-schema.schema-id", `cannot set current schema to unknown schema: ${id}`);
  }
  draft.currentSchemaId = id;
}

export function removeSchemas(draft: MetadataDraft, ids: readonly number[]): void {
  if (draft.currentSchemaId !== undefined && ids.includes(draft.currentSchemaId)) {
    throw shapeError("remove-schemas.schema-ids", `cannot remove current schema: ${draft.currentSchemaId}`);
  }
  draft.schemas = draft.schemas.filter((schema) => !ids.includes(schema["schema-id"]));
}

export function addSpec(draft: MetadataDraft, added: PartitionSpec | UnnumberedPartitionSpec): void {
  const fields = withFieldIds(draft, added);
  const existing = draft.specs.find((spec) => sameSpec(spec.fields, fields));
  const id = existing?.["spec-id"] ?? 1 + Math.max(-1, ...draft.specs.map((spec) => spec["spec-id"]));
  if (existing === undefined) {
    const spec: PartitionSpec = { "spec-id": id, fields };
    validateSpec(spec, schemaForNewParts(draft));
    draft.specs.push(spec);
  }
  draft.lastPartitionId = Math.max(draft.lastPartitionId, ...fields.map((field) => field["field-id"]));
  draft.lastAddedSpecId = id;
}

/** A field that an earlier spec has keeps its id (specification, "Partition Evolution"). */
function withFieldIds(draft: MetadataDraft, spec: PartitionSpec | UnnumberedPartitionSpec): PartitionField[] {
  const known = draft.specs.flatMap((earlier) => earlier.fields);
  let next = Math.max(NO_PARTITION_FIELD_ID, draft.lastPartitionId);
  return spec.fields.map((field) => {
    if (field["field-id"] !== undefined) return field as PartitionField;
    const same = known.find(
      (earlier) => earlier["source-id"] === field["source-id"] && earlier.transform === field.transform,
    );
    if (same !== undefined) return { ...field, "field-id": same["field-id"] };
    next += 1;
    return { ...field, "field-id": next };
  });
}

function sameSpec(left: readonly PartitionField[], right: readonly PartitionField[]): boolean {
  const text = (fields: readonly PartitionField[]): string =>
    JSON.stringify(fields.map((field) => [field["source-id"], field["field-id"], field.name, field.transform]));
  return text(left) === text(right);
}

export function setDefaultSpec(draft: MetadataDraft, specId: number): void {
  const id = specId === LAST_ADDED ? draft.lastAddedSpecId : specId;
  if (id === undefined) throw shapeError("set-default-spec.spec-id", "no partition spec has been added in this commit");
  if (!draft.specs.some((spec) => spec["spec-id"] === id)) {
    throw shapeError("set-default-spec.spec-id", `cannot set default spec to unknown spec: ${id}`);
  }
  draft.defaultSpecId = id;
}

export function removeSpecs(draft: MetadataDraft, ids: readonly number[]): void {
  if (draft.defaultSpecId !== undefined && ids.includes(draft.defaultSpecId)) {
    throw shapeError("remove-partition-specs.spec-ids", `cannot remove default partition spec: ${draft.defaultSpecId}`);
  }
  draft.specs = draft.specs.filter((spec) => !ids.includes(spec["spec-id"]));
}

export function addSortOrder(draft: MetadataDraft, added: UnnumberedSortOrder): void {
  const fields = (order: UnnumberedSortOrder): string =>
    JSON.stringify(order.fields.map((f) => [f["source-id"], f.transform, f.direction, f["null-order"]]));
  const unsorted = added.fields.length === 0;
  const existing = draft.orders.find((order) => fields(order) === fields(added));
  const next = 1 + Math.max(UNSORTED["order-id"], ...draft.orders.map((order) => order["order-id"]));
  const id = existing?.["order-id"] ?? (unsorted ? UNSORTED["order-id"] : next);
  if (existing === undefined) {
    const order: SortOrder = { ...added, "order-id": id };
    validateSortOrder(order, schemaForNewParts(draft));
    draft.orders.push(order);
  }
  draft.lastAddedOrderId = id;
}

export function setDefaultSortOrder(draft: MetadataDraft, orderId: number): void {
  const id = orderId === LAST_ADDED ? draft.lastAddedOrderId : orderId;
  const path = "set-default-sort-order.sort-order-id";
  if (id === undefined) throw shapeError(path, "no sort order has been added in this commit");
  if (!draft.orders.some((order) => order["order-id"] === id)) {
    throw shapeError(path, `cannot set default sort order to unknown sort order: ${id}`);
  }
  draft.defaultOrderId = id;
}

/** What a new spec or order is checked against: the current schema, or the one that this commit added before. */
function schemaForNewParts(draft: MetadataDraft): Schema {
  const id = draft.currentSchemaId ?? draft.lastAddedSchemaId;
  const schema = draft.schemas.find((candidate) => candidate["schema-id"] === id);
  if (schema === undefined) throw shapeError("updates", "a schema must be added before a partition spec or sort order");
  return schema;
}
