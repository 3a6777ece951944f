import { LakeError } from "../lake-error.ts";
import type { PartitionSpec } from "./partition-spec.ts";
import type { Schema } from "./schema.ts";
import type { Snapshot, SnapshotRef } from "./snapshot.ts";
import type { SortOrder } from "./sort-order.ts";

/**
 * Table metadata as it stands in JSON (Iceberg specification, "Table Metadata Fields"), shape of version 2.
 * Snapshot ids are `bigint`, because they use all 64 bits; sequence numbers, times and counts are safe as `number`.
 * Values are never changed in place: an update makes a new object that shares what stayed.
 */
export interface TableMetadata {
  readonly "format-version": number;
  readonly "table-uuid": string;
  readonly location: string;
  readonly "last-sequence-number": number;
  readonly "last-updated-ms": number;
  readonly "last-column-id": number;
  readonly "current-schema-id": number;
  readonly schemas: readonly Schema[];
  readonly "default-spec-id": number;
  readonly "partition-specs": readonly PartitionSpec[];
  readonly "last-partition-id": number;
  readonly "default-sort-order-id": number;
  readonly "sort-orders": readonly SortOrder[];
  readonly properties: Readonly<Record<string, string>>;
  /** Absent when the table has no snapshot (the legacy value -1 is read as absent). */
  readonly "current-snapshot-id"?: bigint;
  readonly snapshots: readonly Snapshot[];
  readonly "snapshot-log": readonly SnapshotLogEntry[];
  readonly "metadata-log": readonly MetadataLogEntry[];
  readonly refs: Readonly<Record<string, SnapshotRef>>;
  readonly statistics: readonly StatisticsFile[];
  readonly "partition-statistics": readonly PartitionStatisticsFile[];
  /** v3 row lineage; kept, never used for v2. */
  readonly "next-row-id"?: number;
}

export interface SnapshotLogEntry {
  readonly "snapshot-id": bigint;
  readonly "timestamp-ms": number;
}

export interface MetadataLogEntry {
  readonly "metadata-file": string;
  readonly "timestamp-ms": number;
}

export interface StatisticsFile {
  readonly "snapshot-id": bigint;
  readonly "statistics-path": string;
  readonly "file-size-in-bytes": number;
  readonly "file-footer-size-in-bytes": number;
  readonly "blob-metadata": readonly BlobMetadata[];
  readonly "key-metadata"?: string;
}

export interface BlobMetadata {
  readonly type: string;
  readonly "snapshot-id": bigint;
  readonly "sequence-number": number;
  readonly fields: readonly number[];
  readonly properties?: Readonly<Record<string, string>>;
}

export interface PartitionStatisticsFile {
  readonly "snapshot-id": bigint;
  readonly "statistics-path": string;
  readonly "file-size-in-bytes": number;
}

/** The schema that new rows are written with. */
export function currentSchema(metadata: TableMetadata): Schema {
  return schemaById(metadata, metadata["current-schema-id"]);
}

/** @throws LakeError `corrupt` where the metadata has no schema of this id */
export function schemaById(metadata: TableMetadata, schemaId: number): Schema {
  const schema = metadata.schemas.find((candidate) => candidate["schema-id"] === schemaId);
  if (schema === undefined) throw corrupt(metadata, `schema ${schemaId} is not in the metadata`);
  return schema;
}

/** The partition spec that new files are written with. */
export function defaultSpec(metadata: TableMetadata): PartitionSpec {
  return specById(metadata, metadata["default-spec-id"]);
}

/** @throws LakeError `corrupt` where the metadata has no partition spec of this id */
export function specById(metadata: TableMetadata, specId: number): PartitionSpec {
  const spec = metadata["partition-specs"].find((candidate) => candidate["spec-id"] === specId);
  if (spec === undefined) throw corrupt(metadata, `partition spec ${specId} is not in the metadata`);
  return spec;
}

/** The sort order that new files are written with. */
export function defaultSortOrder(metadata: TableMetadata): SortOrder {
  const orderId = metadata["default-sort-order-id"];
  const order = metadata["sort-orders"].find((candidate) => candidate["order-id"] === orderId);
  if (order === undefined) throw corrupt(metadata, `sort order ${orderId} is not in the metadata`);
  return order;
}

/** The newest snapshot of main; undefined for a table without one. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
  const id = metadata["current-snapshot-id"];
  return id === undefined ? undefined : snapshotById(metadata, id);
}

/** undefined where the snapshot has expired or never was */
export function snapshotById(metadata: TableMetadata, snapshotId: bigint): Snapshot | undefined {
  // From the end: nearly every caller asks for a new one.
  return metadata.snapshots.findLast((candidate) => candidate["snapshot-id"] === snapshotId);
}

function corrupt(metadata: TableMetadata, message: string): LakeError {
  return new LakeError("corrupt", message, { context: { table: metadata["table-uuid"], location: metadata.location } });
}
