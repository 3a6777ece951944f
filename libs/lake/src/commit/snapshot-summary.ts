import { FileContent, isDelete, type DataFile } from "../manifest/data-file.ts";
import type { SnapshotSummary } from "../metadata/snapshot.ts";
import type { SnapshotChange } from "./snapshot-change.ts";

export interface ManifestCounts {
  readonly created: number;
  readonly kept: number;
  readonly replaced: number;
  /** Entries that were written into manifests. */
  readonly entries: number;
}

/** Totals and how each follows from what was added and removed, as Java's SnapshotSummary names them. */
const TOTALS: readonly (readonly [total: string, added: string, removed: string])[] = [
  ["total-records", "added-records", "deleted-records"],
  ["total-files-size", "added-files-size", "removed-files-size"],
  ["total-data-files", "added-data-files", "deleted-data-files"],
  ["total-delete-files", "added-delete-files", "removed-delete-files"],
  ["total-position-deletes", "added-position-deletes", "removed-position-deletes"],
  ["total-equality-deletes", "added-equality-deletes", "removed-equality-deletes"],
];

/**
 * The summary of a snapshot, with the keys and the omissions of Java: counts that are zero are left out, totals go on
 * from the parent's, and a total that the parent does not have stays unknown.
 * @param parent undefined for the first snapshot of a table: totals start at zero.
 */
export function snapshotSummary(
  change: SnapshotChange,
  changedPartitions: number,
  counts: ManifestCounts,
  parent: SnapshotSummary | undefined | "none",
): SnapshotSummary {
  const delta = new Map<string, number>();
  countFiles(delta, [...(change.addedData ?? []), ...(change.addedDeletes ?? [])], ADDED);
  countFiles(delta, [...(change.removedData ?? []), ...(change.removedDeletes ?? [])], REMOVED);
  const summary: Record<string, string> = { ...change.summary };
  for (const [key, value] of delta) if (value > 0) summary[key] = String(value);
  summary["changed-partition-count"] = String(changedPartitions);
  summary["manifests-created"] = String(counts.created);
  summary["manifests-kept"] = String(counts.kept);
  summary["manifests-replaced"] = String(counts.replaced);
  summary["entries-processed"] = String(counts.entries);
  for (const [total, added, removed] of TOTALS) {
    const before = parent === "none" ? 0 : wholeNumber(parent?.[total]);
    if (before === undefined) continue;
    const after = before + (delta.get(added) ?? 0) - (delta.get(removed) ?? 0);
    if (after >= 0) summary[total] = String(after);
  }
  return { ...summary, operation: change.operation };
}

const ADDED = {
  dataFiles: "added-data-files",
  records: "added-records",
  deleteFiles: "added-delete-files",
  positionFiles: "added-position-delete-files",
  positionDeletes: "added-position-deletes",
  equalityFiles: "added-equality-delete-files",
  equalityDeletes: "added-equality-deletes",
  size: "added-files-size",
} as const;

const REMOVED = {
  dataFiles: "deleted-data-files",
  records: "deleted-records",
  deleteFiles: "removed-delete-files",
  positionFiles: "removed-position-delete-files",
  positionDeletes: "removed-position-deletes",
  equalityFiles: "removed-equality-delete-files",
  equalityDeletes: "removed-equality-deletes",
  size: "removed-files-size",
} as const;

function countFiles(into: Map<string, number>, files: readonly DataFile[], keys: typeof ADDED | typeof REMOVED): void {
  const add = (key: string, value: number): void => void into.set(key, (into.get(key) ?? 0) + value);
  for (const file of files) {
    add(keys.size, file.fileSizeBytes);
    if (!isDelete(file)) {
      add(keys.dataFiles, 1);
      add(keys.records, file.recordCount);
      continue;
    }
    const byPosition = file.content === FileContent.positionDeletes;
    add(keys.deleteFiles, 1);
    add(byPosition ? keys.positionFiles : keys.equalityFiles, 1);
    add(byPosition ? keys.positionDeletes : keys.equalityDeletes, file.recordCount);
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
