import { LakeError } from "../lake-error.ts";
import {
  idAt,
  integerAt,
  listAt,
  nonEmptyStringAt,
  objectAt,
  optionalAt,
  shapeError,
  stringAt,
  stringMapAt,
  under,
  type JsonObject,
} from "./json-shape.ts";
import { parseLakeJson } from "./json.ts";
import { numberedPartitionSpecAt, numberedSchemaAt, numberedSortOrderAt, schemaAt } from "./parse-schema.ts";
import { partitionStatisticsFileAt, snapshotAt, snapshotRefAt, statisticsFileAt } from "./parse-snapshot.ts";
import { NO_PARTITION_FIELD_ID, type PartitionSpec } from "./partition-spec.ts";
import { allFields, highestFieldId, type Schema } from "./schema.ts";
import { MAIN_BRANCH, type SnapshotRef } from "./snapshot.ts";
import { UNSORTED, type SortOrder } from "./sort-order.ts";
import type { MetadataLogEntry, SnapshotLogEntry, TableMetadata } from "./table-metadata.ts";

/** The newest format version that is read. */
export const FORMAT_VERSION_MAX = 3;
/** Older writers say "no snapshot" with it. */
const NO_SNAPSHOT = -1n;

/**
 * Reads the text of a metadata file.
 * @throws LakeError `corrupt` naming the field, `unsupported` for a format version that is not known.
 */
export function parseTableMetadata(text: string, location: string): TableMetadata {
  try {
    return tableMetadataAt(parseLakeJson(text), "");
  } catch (error) {
    if (!(error instanceof LakeError)) throw error;
    const kind = error.kind === "invalid" ? "corrupt" : error.kind;
    throw new LakeError(kind, `metadata file ${location}: ${error.message}`, {
      cause: error,
      context: { ...error.context, location },
    });
  }
}

/**
 * Checks parsed JSON and gives it the one shape used inside: lists that a v1 table or a terse writer leaves out are
 * empty, `current-snapshot-id` -1 is absent, and a table with a current snapshot has a `main` reference. Fields that
 * are not known here are kept.
 */
export function tableMetadataAt(value: unknown, path: string): TableMetadata {
  const raw = objectAt(value, path);
  const version = integerAt(raw["format-version"], under(path, "format-version"));
  if (version < 1 || version > FORMAT_VERSION_MAX) {
    throw new LakeError("unsupported", `format-version ${version} is not supported (1 to ${FORMAT_VERSION_MAX} are)`);
  }
  const schemas = schemasOf(raw, path);
  const specs = specsOf(raw, path);
  const orders = sortOrdersOf(raw, path);
  const currentSnapshotId = currentSnapshotIdOf(raw, path);
  const metadata: TableMetadata = {
    ...legacyRemoved(raw),
    "format-version": version,
    "table-uuid": stringAt(raw["table-uuid"] ?? (version === 1 ? "" : undefined), under(path, "table-uuid")),
    location: nonEmptyStringAt(raw["location"], under(path, "location")),
    "last-sequence-number": integerAt(
      raw["last-sequence-number"] ?? (version === 1 ? 0 : undefined),
      under(path, "last-sequence-number"),
    ),
    "last-updated-ms": integerAt(raw["last-updated-ms"], under(path, "last-updated-ms")),
    "last-column-id": integerAt(raw["last-column-id"], under(path, "last-column-id")),
    schemas: schemas.list,
    "current-schema-id": schemas.current,
    "partition-specs": specs.list,
    "default-spec-id": specs.current,
    "last-partition-id": lastPartitionIdOf(raw, specs.list, path),
    "sort-orders": orders.list,
    "default-sort-order-id": orders.current,
    properties: optionalAt(raw["properties"], under(path, "properties"), stringMapAt) ?? {},
    snapshots: listOf(raw, "snapshots", path, snapshotAt),
    "snapshot-log": listOf(raw, "snapshot-log", path, snapshotLogEntryAt),
    "metadata-log": listOf(raw, "metadata-log", path, metadataLogEntryAt),
    refs: refsOf(raw, currentSnapshotId, path),
    statistics: listOf(raw, "statistics", path, statisticsFileAt),
    "partition-statistics": listOf(raw, "partition-statistics", path, partitionStatisticsFileAt),
    ...(currentSnapshotId === undefined ? {} : { "current-snapshot-id": currentSnapshotId }),
  };
  checkReferences(metadata, path);
  return metadata;
}

/** Everything that the metadata points at inside itself is there. */
function checkReferences(metadata: TableMetadata, path: string): void {
  const has = (ids: readonly number[], id: number, key: string): void => {
    if (!ids.includes(id)) throw shapeError(under(path, key), `${id} is not in the metadata`);
  };
  has(
    metadata.schemas.map((schema) => schema["schema-id"]),
    metadata["current-schema-id"],
    "current-schema-id",
  );
  has(
    metadata["partition-specs"].map((spec) => spec["spec-id"]),
    metadata["default-spec-id"],
    "default-spec-id",
  );
  has(
    metadata["sort-orders"].map((order) => order["order-id"]),
    metadata["default-sort-order-id"],
    "default-sort-order-id",
  );
  const current = metadata["current-snapshot-id"];
  if (current !== undefined && !metadata.snapshots.some((snapshot) => snapshot["snapshot-id"] === current)) {
    throw shapeError(under(path, "current-snapshot-id"), `${current} is not in the metadata`);
  }
  checkSnapshots(metadata, path);
  for (const schema of metadata.schemas) checkFieldIds(schema, under(path, "schemas"));
  checkLastColumnId(metadata);
}

/** References lead to snapshots, and no snapshot is newer than the table (Java refuses the same). */
function checkSnapshots(metadata: TableMetadata, path: string): void {
  const ids = new Set(metadata.snapshots.map((snapshot) => snapshot["snapshot-id"]));
  if (ids.size !== metadata.snapshots.length)
    throw shapeError(under(path, "snapshots"), "two have the same snapshot-id");
  for (const [name, ref] of Object.entries(metadata.refs)) {
    const id = ref["snapshot-id"];
    if (!ids.has(id)) throw shapeError(under(under(path, "refs"), name), `snapshot ${id} is not in the metadata`);
  }
  const last = metadata["last-sequence-number"];
  const newer = metadata.snapshots.find((snapshot) => snapshot["sequence-number"] > last);
  if (metadata["format-version"] === 1 || newer === undefined) return;
  const id = newer["snapshot-id"];
  throw shapeError(under(path, "last-sequence-number"), `${last} is lower than that of snapshot ${id}`);
}

/** With an id twice a reader would take one column for another. */
function checkFieldIds(schema: Schema, path: string): void {
  const seen = new Set<number>();
  for (const { field } of allFields(schema)) {
    if (field.id < 1 || seen.has(field.id)) {
      throw shapeError(path, `schema ${schema["schema-id"]} cannot have field id ${field.id} for ${field.name}`);
    }
    seen.add(field.id);
  }
}

/** Keys whose content the shape above has elsewhere. */
function legacyRemoved(raw: JsonObject): JsonObject {
  const rest: Record<string, unknown> = { ...raw };
  for (const key of ["schema", "partition-spec", "current-snapshot-id"]) delete rest[key];
  return rest;
}

function listOf<T>(raw: JsonObject, key: string, path: string, item: (value: unknown, path: string) => T): T[] {
  return optionalAt(raw[key], under(path, key), (list, at) => listAt(list, at, item)) ?? [];
}

function schemasOf(raw: JsonObject, path: string): { list: Schema[]; current: number } {
  if (raw["schemas"] === undefined && raw["format-version"] === 1) {
    const only = { "schema-id": 0, ...schemaAt(raw["schema"], under(path, "schema")) };
    return { list: [only], current: only["schema-id"] };
  }
  return {
    list: listAt(raw["schemas"], under(path, "schemas"), numberedSchemaAt),
    current: integerAt(raw["current-schema-id"], under(path, "current-schema-id")),
  };
}

function specsOf(raw: JsonObject, path: string): { list: PartitionSpec[]; current: number } {
  const legacy = raw["partition-specs"] === undefined && raw["format-version"] === 1;
  const source = legacy ? [{ "spec-id": 0, fields: raw["partition-spec"] }] : raw["partition-specs"];
  const list = listAt(source, under(path, "partition-specs"), numberedPartitionSpecAt).map(withFieldIds);
  return { list, current: legacy ? 0 : integerAt(raw["default-spec-id"], under(path, "default-spec-id")) };
}

/** v1 specs may have no field ids: they count from 1000 in order (specification, "Partition Evolution"). */
function withFieldIds(spec: PartitionSpec): PartitionSpec {
  if (spec.fields.every((field) => field["field-id"] !== undefined)) return spec;
  return {
    ...spec,
    fields: spec.fields.map((field, index) => ({ ...field, "field-id": NO_PARTITION_FIELD_ID + 1 + index })),
  };
}

function lastPartitionIdOf(raw: JsonObject, specs: readonly PartitionSpec[], path: string): number {
  const stated = optionalAt(raw["last-partition-id"], under(path, "last-partition-id"), integerAt);
  if (stated !== undefined) return stated;
  return Math.max(NO_PARTITION_FIELD_ID, ...specs.flatMap((spec) => spec.fields.map((field) => field["field-id"])));
}

function sortOrdersOf(raw: JsonObject, path: string): { list: SortOrder[]; current: number } {
  if (raw["sort-orders"] === undefined) return { list: [UNSORTED], current: 0 };
  return {
    list: listAt(raw["sort-orders"], under(path, "sort-orders"), numberedSortOrderAt),
    current: integerAt(raw["default-sort-order-id"], under(path, "default-sort-order-id")),
  };
}

function currentSnapshotIdOf(raw: JsonObject, path: string): bigint | undefined {
  const id = optionalAt(raw["current-snapshot-id"], under(path, "current-snapshot-id"), idAt);
  return id === NO_SNAPSHOT ? undefined : id;
}

function refsOf(raw: JsonObject, current: bigint | undefined, path: string): Record<string, SnapshotRef> {
  const refs: Record<string, SnapshotRef> = Object.fromEntries(
    Object.entries(optionalAt(raw["refs"], under(path, "refs"), objectAt) ?? {}).map(([name, ref]) => [
      name,
      snapshotRefAt(ref, under(under(path, "refs"), name)),
    ]),
  );
  if (current === undefined) return refs;
  return { ...refs, [MAIN_BRANCH]: { type: "branch", ...refs[MAIN_BRANCH], "snapshot-id": current } };
}

function snapshotLogEntryAt(value: unknown, path: string): SnapshotLogEntry {
  const entry = objectAt(value, path);
  idAt(entry["snapshot-id"], under(path, "snapshot-id"));
  integerAt(entry["timestamp-ms"], under(path, "timestamp-ms"));
  return entry as unknown as SnapshotLogEntry;
}

function metadataLogEntryAt(value: unknown, path: string): MetadataLogEntry {
  const entry = objectAt(value, path);
  stringAt(entry["metadata-file"], under(path, "metadata-file"));
  integerAt(entry["timestamp-ms"], under(path, "timestamp-ms"));
  return entry as unknown as MetadataLogEntry;
}

/** A metadata file of a table whose field ids go beyond `last-column-id` would hand out ids twice. */
function checkLastColumnId(metadata: TableMetadata): void {
  const highest = Math.max(0, ...metadata.schemas.map(highestFieldId));
  if (metadata["last-column-id"] < highest) {
    throw shapeError("last-column-id", `${metadata["last-column-id"]} is lower than field id ${highest}`);
  }
}
