import { LakeError } from "../lake-error.ts";
import {
  NO_PARTITION_FIELD_ID,
  type PartitionField,
  type PartitionSpec,
  type UnnumberedPartitionSpec,
} from "./partition-spec.ts";
import { allFields, type Schema } from "./schema.ts";
import type { SortField, UnnumberedSortOrder } from "./sort-order.ts";
import { currentSchema, defaultSpec, type TableMetadata } from "./table-metadata.ts";
import { validateSortOrder, validateSpec } from "./validate-table.ts";

/** A partition field as it is asked for. `name` defaults to `<source>_<transform>`, for identity to the source. */
export interface PartitionChoice {
  readonly source: string;
  readonly transform: string;
  readonly name?: string;
}

export interface SortChoice {
  readonly column: string;
  readonly transform?: string;
  readonly direction?: "asc" | "desc";
  readonly nulls?: "first" | "last";
}

/**
 * The spec that new files get; files that are there keep theirs (specification, "Partition Evolution"). A field that an
 * earlier spec has keeps its id. A v1 table keeps fields that are left out as `void`, because its manifests know them
 * by place.
 * @throws LakeError `invalid` naming the column
 */
export function evolveSpec(metadata: TableMetadata, fields: readonly PartitionChoice[]): UnnumberedPartitionSpec {
  const schema = currentSchema(metadata);
  const known = metadata["partition-specs"].flatMap((spec) => spec.fields);
  let last = Math.max(metadata["last-partition-id"], NO_PARTITION_FIELD_ID);
  const asked = fields.map(({ source, transform, name }): PartitionField => {
    const sourceId = columnId(schema, source);
    const same = known.find((field) => field["source-id"] === sourceId && field.transform === transform);
    const fieldId = same?.["field-id"] ?? (last += 1);
    const chosen = name ?? same?.name ?? defaultName(source, transform);
    return { "source-id": sourceId, "field-id": fieldId, name: chosen, transform };
  });
  const spec = { fields: metadata["format-version"] === 1 ? withVoids(defaultSpec(metadata), asked) : asked };
  validateSpec({ "spec-id": 0, ...spec }, schema);
  return spec;
}

function withVoids(before: PartitionSpec, asked: readonly PartitionField[]): PartitionField[] {
  const kept = before.fields.map(
    (field) => asked.find((one) => one["field-id"] === field["field-id"]) ?? { ...field, transform: "void" },
  );
  return [...kept, ...asked.filter((field) => !kept.includes(field))];
}

function defaultName(source: string, transform: string): string {
  const column = source.replaceAll(".", "_");
  if (transform === "identity") return column;
  return `${column}_${transform.replace(/^truncate/, "trunc").replace(/\[(\d+)\]$/, "_$1")}`;
}

/** @throws LakeError `invalid` naming the column */
export function evolveSortOrder(metadata: TableMetadata, columns: readonly SortChoice[]): UnnumberedSortOrder {
  const schema = currentSchema(metadata);
  const fields = columns.map(({ column, transform = "identity", direction = "asc", nulls }): SortField => {
    const nullOrder = nulls ?? (direction === "asc" ? "first" : "last");
    return { transform, "source-id": columnId(schema, column), direction, "null-order": `nulls-${nullOrder}` };
  });
  validateSortOrder({ "order-id": fields.length === 0 ? 0 : 1, fields }, schema);
  return { fields };
}

function columnId(schema: Schema, path: string): number {
  const place = allFields(schema).find((candidate) => candidate.path === path);
  if (place !== undefined) return place.field.id;
  throw new LakeError("invalid", `column ${path} is no column of the table`, { context: { field: path } });
}
