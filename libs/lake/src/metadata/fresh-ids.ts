import { shapeError } from "./json-shape.ts";
import { NO_PARTITION_FIELD_ID, type PartitionSpec, type UnnumberedPartitionSpec } from "./partition-spec.ts";
import {
  isNested,
  type IcebergType,
  type NestedType,
  type Schema,
  type StructField,
  type UnnumberedSchema,
} from "./schema.ts";
import { UNSORTED, type SortOrder, type UnnumberedSortOrder } from "./sort-order.ts";

/**
 * Ids of a new table, as Java and PyIceberg assign them: the columns of a struct first, one after another, then inside
 * the first of them, and so on. What the request says only links its spec, order and identifiers to its columns.
 */
export interface FreshIds {
  readonly schema: Schema;
  readonly spec: PartitionSpec;
  readonly order: SortOrder;
  readonly lastColumnId: number;
  readonly lastPartitionId: number;
}

export function assignFreshIds(
  requested: UnnumberedSchema,
  spec: UnnumberedPartitionSpec | undefined,
  order: UnnumberedSortOrder | undefined,
): FreshIds {
  const assigned = new Map<number, number>();
  let last = 0;
  const next = (oldId: number): number => {
    last += 1;
    if (assigned.has(oldId)) throw shapeError("schema", `multiple fields for id ${oldId}`);
    assigned.set(oldId, last);
    return last;
  };
  const fields = freshFields(requested.fields, next);
  const identifiers = requested["identifier-field-ids"]?.map((id) => mapped(assigned, id, "identifier-field-ids"));
  const schema: Schema = {
    type: "struct",
    "schema-id": 0,
    fields,
    ...(identifiers === undefined ? {} : { "identifier-field-ids": identifiers }),
  };
  const partitionFields = (spec?.fields ?? []).map((field, index) => ({
    "source-id": mapped(assigned, field["source-id"], "partition-spec"),
    "field-id": NO_PARTITION_FIELD_ID + 1 + index,
    name: field.name,
    transform: field.transform,
  }));
  const sortFields = (order?.fields ?? []).map((field) => ({
    ...field,
    "source-id": mapped(assigned, field["source-id"], "sort-order"),
  }));
  return {
    schema,
    spec: { "spec-id": 0, fields: partitionFields },
    order: sortFields.length === 0 ? UNSORTED : { "order-id": 1, fields: sortFields },
    lastColumnId: last,
    lastPartitionId: NO_PARTITION_FIELD_ID + partitionFields.length,
  };
}

function mapped(assigned: ReadonlyMap<number, number>, oldId: number, path: string): number {
  const id = assigned.get(oldId);
  if (id === undefined) throw shapeError(path, `field ${oldId} is not in the schema`);
  return id;
}

function freshFields(fields: readonly StructField[], next: (oldId: number) => number): StructField[] {
  const ids = fields.map((field) => next(field.id));
  return fields.map((field, index) => ({ ...field, id: ids[index] as number, type: freshType(field.type, next) }));
}

function freshType(type: IcebergType, next: (oldId: number) => number): IcebergType {
  return isNested(type) ? freshNested(type, next) : type;
}

function freshNested(type: NestedType, next: (oldId: number) => number): NestedType {
  switch (type.type) {
    case "struct":
      return { ...type, fields: freshFields(type.fields, next) };
    case "list": {
      const elementId = next(type["element-id"]);
      return { ...type, "element-id": elementId, element: freshType(type.element, next) };
    }
    case "map": {
      const keyId = next(type["key-id"]);
      const valueId = next(type["value-id"]);
      const key = freshType(type.key, next);
      return { ...type, "key-id": keyId, "value-id": valueId, key, value: freshType(type.value, next) };
    }
  }
}
