import { snapshotById, type TableMetadata } from "../metadata/table-metadata.ts";
import type { Snapshot } from "../metadata/snapshot.ts";

/** Summary entries (specification, appendix F) that are zero or absent when a snapshot changed no row. */
const rowCounts = [
  "added-records",
  "deleted-records",
  "added-data-files",
  "deleted-data-files",
  "added-position-deletes",
  "removed-position-deletes",
  "added-equality-deletes",
  "removed-equality-deletes",
  "added-delete-files",
  "removed-delete-files",
];

/** Whether a snapshot left every row of the table as it was: merging and compaction do, and empty commits. */
export function changesNoRow(snapshot: Snapshot): boolean {
  const summary = snapshot.summary;
  if (summary === undefined) return false;
  if (summary.operation === "replace") return true;
  return rowCounts.every((name) => (summary[name] ?? "0") === "0");
}

/**
 * Whether rows differ between two snapshots of main, the first one older; undefined where `from` is not in the metadata
 * or a snapshot between them has expired, so that nobody can tell.
 */
export function rowsChangedBetween(metadata: TableMetadata, from: bigint, to: bigint): boolean | undefined {
  let current = snapshotById(metadata, to);
  while (current !== undefined && current["snapshot-id"] !== from) {
    if (!changesNoRow(current)) return true;
    const parent = current["parent-snapshot-id"];
    current = parent === undefined ? undefined : snapshotById(metadata, parent);
  }
  return current === undefined ? undefined : false;
}
