import { LakeError } from "../lake-error.ts";
import type { Partition, PartitionValue } from "../manifest/data-file.ts";
import type { PartitionSpec } from "../metadata/partition-spec.ts";
import { allFields, isNested, type FieldPlace, type PrimitiveType, type Schema } from "../metadata/schema.ts";
import { currentSchema, specById, type TableMetadata } from "../metadata/table-metadata.ts";
import { parseTransform, resultType, type Transform } from "./transform.ts";

/** A partition field together with the column that it is made of. */
export interface BoundPartitionField {
  readonly fieldId: number;
  readonly name: string;
  readonly transform: Transform;
  readonly sourceId: number;
  /** Full name of the column in the newest schema that has it; undefined when no schema has it any more. */
  readonly sourceName?: string;
  readonly sourceType: PrimitiveType;
  /** The type of the partition values. */
  readonly resultType: PrimitiveType;
}

/** A partition spec whose columns are found. */
export interface BoundSpec {
  readonly specId: number;
  readonly fields: readonly BoundPartitionField[];
}

/** A spec of the table. A column that was dropped since is found in an older schema. */
export function boundSpec(metadata: TableMetadata, specId = metadata["default-spec-id"]): BoundSpec {
  const current = currentSchema(metadata);
  const older = metadata.schemas.filter((schema) => schema !== current).reverse();
  return bindSpec(specById(metadata, specId), [current, ...older]);
}

/** `schemas`: the newest first. */
export function bindSpec(spec: PartitionSpec, schemas: readonly Schema[]): BoundSpec {
  const places = schemas.map((schema) => new Map(allFields(schema).map((place) => [place.field.id, place])));
  return {
    specId: spec["spec-id"],
    fields: spec.fields.map((field) => {
      const transform = parseTransform(field.transform);
      const place = places.map((byId) => byId.get(field["source-id"])).find((found) => found !== undefined);
      const sourceType = sourceTypeOf(place, transform, field.name);
      return {
        fieldId: field["field-id"],
        name: field.name,
        transform,
        sourceId: field["source-id"],
        ...(place === undefined ? {} : { sourceName: place.path }),
        sourceType,
        resultType: resultType(transform, sourceType),
      };
    }),
  };
}

function sourceTypeOf(place: FieldPlace | undefined, transform: Transform, name: string): PrimitiveType {
  const type = place?.field.type;
  if (type !== undefined && !isNested(type)) return type;
  // A void field has only nulls: its type decides nothing.
  if (transform.kind === "void") return "int";
  throw new LakeError("corrupt", `partition field ${name} has no primitive source column`, { context: { name } });
}

/** A key that is the same for the same partition values of the same spec, and for no others. */
export function partitionKey(spec: BoundSpec, partition: Partition): string {
  return JSON.stringify([spec.specId, ...spec.fields.map((field) => keyPart(partition[field.name] ?? null))]);
}

function keyPart(value: PartitionValue): unknown {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  if (typeof value === "bigint") return { big: value.toString() };
  if (typeof value === "number" && !Number.isFinite(value)) return { float: String(value) };
  return value;
}
