import { shapeError } from "./json-shape.ts";
import { DEFAULT_FORMAT_VERSION } from "./new-table.ts";
import { NO_PARTITION_FIELD_ID, UNPARTITIONED, type PartitionSpec } from "./partition-spec.ts";
import type { Schema } from "./schema.ts";
import { MAIN_BRANCH, type Snapshot, type SnapshotRef } from "./snapshot.ts";
import { UNSORTED, type SortOrder } from "./sort-order.ts";
import type { PartitionStatisticsFile, SnapshotLogEntry, StatisticsFile, TableMetadata } from "./table-metadata.ts";
import { validateSortOrder, validateSpec } from "./validate-table.ts";

/** Table metadata while updates are applied to it. Lists are copies; their items are shared and never changed. */
export interface MetadataDraft {
  readonly base: TableMetadata | undefined;
  readonly nowMs: number;
  formatVersion: number;
  uuid: string | undefined;
  location: string | undefined;
  lastSequenceNumber: number;
  /** Set by what decides the time of the change, a snapshot; else the commit's own time. */
  lastUpdatedMs: number | undefined;
  lastColumnId: number;
  schemas: Schema[];
  currentSchemaId: number | undefined;
  specs: PartitionSpec[];
  defaultSpecId: number | undefined;
  lastPartitionId: number;
  orders: SortOrder[];
  defaultOrderId: number | undefined;
  properties: Map<string, string>;
  snapshots: Map<bigint, Snapshot>;
  snapshotLog: SnapshotLogEntry[];
  refs: Map<string, SnapshotRef>;
  statistics: StatisticsFile[];
  partitionStatistics: PartitionStatisticsFile[];
  nextRowId: number;
  /** What -1 stands for, once this commit has added one. */
  lastAddedSchemaId: number | undefined;
  lastAddedSpecId: number | undefined;
  lastAddedOrderId: number | undefined;
  readonly addedSnapshotIds: Set<bigint>;
  snapshotsRemoved: boolean;
}

export function startDraft(base: TableMetadata | undefined, nowMs: number): MetadataDraft {
  return {
    base,
    nowMs,
    formatVersion: base?.["format-version"] ?? DEFAULT_FORMAT_VERSION,
    uuid: base?.["table-uuid"],
    location: base?.location,
    lastSequenceNumber: base?.["last-sequence-number"] ?? 0,
    lastUpdatedMs: undefined,
    lastColumnId: base?.["last-column-id"] ?? 0,
    schemas: [...(base?.schemas ?? [])],
    currentSchemaId: base?.["current-schema-id"],
    specs: [...(base?.["partition-specs"] ?? [])],
    defaultSpecId: base?.["default-spec-id"],
    lastPartitionId: base?.["last-partition-id"] ?? NO_PARTITION_FIELD_ID,
    orders: [...(base?.["sort-orders"] ?? [])],
    defaultOrderId: base?.["default-sort-order-id"],
    properties: new Map(Object.entries(base?.properties ?? {})),
    snapshots: new Map((base?.snapshots ?? []).map((snapshot) => [snapshot["snapshot-id"], snapshot])),
    snapshotLog: [...(base?.["snapshot-log"] ?? [])],
    refs: new Map(Object.entries(base?.refs ?? {})),
    statistics: [...(base?.statistics ?? [])],
    partitionStatistics: [...(base?.["partition-statistics"] ?? [])],
    nextRowId: base?.["next-row-id"] ?? 0,
    lastAddedSchemaId: undefined,
    lastAddedSpecId: undefined,
    lastAddedOrderId: undefined,
    addedSnapshotIds: new Set(),
    snapshotsRemoved: false,
  };
}

/** The finished metadata; `metadata-log` is the base's, because only the catalog knows where the base lies. */
export function finishDraft(draft: MetadataDraft): TableMetadata {
  const { uuid, location, currentSchemaId } = draft;
  if (uuid === undefined || uuid === "") throw shapeError("updates", "a new table needs assign-uuid");
  if (location === undefined) throw shapeError("updates", "a new table needs set-location");
  if (currentSchemaId === undefined) throw shapeError("updates", "a new table needs add-schema and set-current-schema");
  if (draft.defaultSpecId === undefined) useUnpartitioned(draft);
  if (draft.defaultOrderId === undefined) useUnsorted(draft);
  checkDefaultsFitSchema(draft, currentSchemaId);
  const main = draft.refs.get(MAIN_BRANCH)?.["snapshot-id"];
  const finished: TableMetadata = {
    ...draft.base,
    "format-version": draft.formatVersion,
    "table-uuid": uuid,
    location,
    "last-sequence-number": draft.lastSequenceNumber,
    "last-updated-ms": draft.lastUpdatedMs ?? draft.nowMs,
    "last-column-id": draft.lastColumnId,
    "current-schema-id": currentSchemaId,
    schemas: draft.schemas,
    "default-spec-id": draft.defaultSpecId as number,
    "partition-specs": draft.specs,
    "last-partition-id": draft.lastPartitionId,
    "default-sort-order-id": draft.defaultOrderId as number,
    "sort-orders": draft.orders,
    properties: Object.fromEntries(draft.properties),
    snapshots: [...draft.snapshots.values()],
    "snapshot-log": finishedSnapshotLog(draft, main),
    "metadata-log": draft.base?.["metadata-log"] ?? [],
    refs: Object.fromEntries(draft.refs),
    statistics: draft.statistics,
    "partition-statistics": draft.partitionStatistics,
    ...(draft.formatVersion >= 3 ? { "next-row-id": draft.nextRowId } : {}),
  };
  const { "current-snapshot-id": _, ...withoutCurrent } = finished;
  return main === undefined ? withoutCurrent : { ...withoutCurrent, "current-snapshot-id": main };
}

function useUnpartitioned(draft: MetadataDraft): void {
  if (draft.specs.length === 0) draft.specs.push(UNPARTITIONED);
  draft.defaultSpecId = draft.specs[0]?.["spec-id"];
}

function useUnsorted(draft: MetadataDraft): void {
  if (!draft.orders.some((order) => order["order-id"] === UNSORTED["order-id"])) draft.orders.push(UNSORTED);
  draft.defaultOrderId = UNSORTED["order-id"];
}

/** A dropped column must not be one that new files are partitioned or sorted by. */
function checkDefaultsFitSchema(draft: MetadataDraft, currentSchemaId: number): void {
  const schema = draft.schemas.find((candidate) => candidate["schema-id"] === currentSchemaId);
  const spec = draft.specs.find((candidate) => candidate["spec-id"] === draft.defaultSpecId);
  const order = draft.orders.find((candidate) => candidate["order-id"] === draft.defaultOrderId);
  if (schema === undefined) throw shapeError("updates", `schema ${currentSchemaId} is not in the table`);
  const unchanged =
    draft.base !== undefined &&
    draft.base["current-schema-id"] === currentSchemaId &&
    draft.base["default-spec-id"] === draft.defaultSpecId &&
    draft.base["default-sort-order-id"] === draft.defaultOrderId;
  if (unchanged) return;
  if (spec !== undefined) validateSpec(spec, schema);
  if (order !== undefined) validateSortOrder(order, schema);
}

/**
 * Entries of snapshots that were never current go, and so does all history before a removed snapshot, because with a
 * gap it would name the wrong snapshot for that time (specification, "Table Metadata Fields", `snapshot-log`).
 */
function finishedSnapshotLog(draft: MetadataDraft, main: bigint | undefined): readonly SnapshotLogEntry[] {
  const intermediate = (id: bigint): boolean => draft.addedSnapshotIds.has(id) && id !== main;
  let log: SnapshotLogEntry[] = [];
  for (const entry of draft.snapshotLog) {
    const id = entry["snapshot-id"];
    if (!draft.snapshots.has(id)) {
      if (draft.snapshotsRemoved) log = [];
      else log.push(entry);
    } else if (!intermediate(id)) log.push(entry);
  }
  return log;
}
