import type { RollupChange } from "@firn/core";
import { changesNoRow, rowsChangedBetween, snapshotById, type TableMetadata } from "@firn/lake";

/** Whether the table has the rows that a round's change was computed on; merging and empty commits change none. */
export function isComputedOn(metadata: TableMetadata, onto: RollupChange["onto"]): boolean {
  if (metadata["table-uuid"] !== onto.table) return false;
  const current = metadata["current-snapshot-id"];
  if (onto.snapshot === null) return current === undefined || hasNeverHadRows(metadata, current);
  return current !== undefined && rowsChangedBetween(metadata, BigInt(onto.snapshot), current) === false;
}

function hasNeverHadRows(metadata: TableMetadata, snapshotId: bigint): boolean {
  let current = snapshotById(metadata, snapshotId);
  while (current !== undefined && changesNoRow(current)) {
    const parent: bigint | undefined = current["parent-snapshot-id"];
    if (parent === undefined) return true;
    current = snapshotById(metadata, parent);
  }
  return false;
}
