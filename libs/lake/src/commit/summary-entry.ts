import { currentSnapshot, snapshotById, type TableMetadata } from "../metadata/table-metadata.ts";
import type { Snapshot } from "../metadata/snapshot.ts";

/** `gone`: the chain of parents ends at a snapshot that has expired; `none`: it ends at the table's first snapshot. */
export type SummaryEntry =
  { readonly kind: "found"; readonly value: string } | { readonly kind: "gone" } | { readonly kind: "none" };

/**
 * What the newest snapshot of main that has the entry in its summary says: the current one or an ancestor of it.
 *
 * Properties survive a rollback and `CREATE OR REPLACE`, summaries go with their snapshots: who sets both in one commit
 * can tell by this whether the rows that a property speaks of are still there.
 */
export function newestSummaryEntry(metadata: TableMetadata, name: string): SummaryEntry {
  let current: Snapshot | undefined = currentSnapshot(metadata);
  while (current !== undefined) {
    const value = current.summary?.[name];
    if (value !== undefined) return { kind: "found", value };
    const parent: bigint | undefined = current["parent-snapshot-id"];
    if (parent === undefined) return { kind: "none" };
    current = snapshotById(metadata, parent);
    if (current === undefined) return { kind: "gone" };
  }
  return { kind: "none" };
}

/**
 * Whether the rows of main are those of the commit that set the entry to this value, or of a later one. Where the
 * snapshots that could tell have expired they are, unless the entry's own snapshot is there and main left it.
 */
export function isOnMain(metadata: TableMetadata, name: string, value: string): boolean {
  const newest = newestSummaryEntry(metadata, name);
  if (newest.kind === "found") return newest.value === value;
  return newest.kind === "gone" && !metadata.snapshots.some((snapshot) => snapshot.summary?.[name] === value);
}
