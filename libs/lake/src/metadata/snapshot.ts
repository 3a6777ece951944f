/** Snapshots and references as they stand in JSON (Iceberg specification, "Snapshots", "Snapshot References"). */
export type SnapshotOperation = "append" | "replace" | "overwrite" | "delete";

export interface SnapshotSummary {
  readonly operation: SnapshotOperation;
  readonly [key: string]: string;
}

export interface Snapshot {
  readonly "snapshot-id": bigint;
  readonly "parent-snapshot-id"?: bigint;
  readonly "sequence-number": number;
  /** Milliseconds since the epoch. */
  readonly "timestamp-ms": number;
  /** Absent only in v1 tables. */
  readonly "manifest-list"?: string;
  /** v1 only: manifest locations instead of a list. */
  readonly manifests?: readonly string[];
  readonly summary?: SnapshotSummary;
  readonly "schema-id"?: number;
  /** v3 row lineage. */
  readonly "first-row-id"?: number;
  readonly "added-rows"?: number;
  readonly "key-id"?: string;
}

export interface SnapshotRef {
  readonly "snapshot-id": bigint;
  readonly type: "branch" | "tag";
  readonly "min-snapshots-to-keep"?: number;
  readonly "max-snapshot-age-ms"?: number;
  readonly "max-ref-age-ms"?: number;
}

/** The branch that readers read unless they say another one. */
export const MAIN_BRANCH = "main";
