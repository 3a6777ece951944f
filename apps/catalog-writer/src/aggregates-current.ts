import { changesNoRow, currentSnapshot, snapshotById, type TableMetadata } from "@firn/lake";

/**
 * Whether everything that is made from a table has taken up all rows that the table has now.
 * @param builtOn the snapshot that each of them was last made from; undefined where it has not been made yet
 */
export function areAggregatesCurrent(metadata: TableMetadata, builtOn: readonly (bigint | undefined)[]): boolean {
  const sameRows = new Set<bigint>();
  for (let snapshot = currentSnapshot(metadata); snapshot !== undefined;) {
    sameRows.add(snapshot["snapshot-id"]);
    const parent = changesNoRow(snapshot) ? snapshot["parent-snapshot-id"] : undefined;
    snapshot = parent === undefined ? undefined : snapshotById(metadata, parent);
  }
  return builtOn.every((id) => id !== undefined && sameRows.has(id));
}
