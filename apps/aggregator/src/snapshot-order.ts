import { snapshotById, type Table } from "@firn/lake";

/** Whether a snapshot of raw lies before another one. */
export function isBefore({ metadata }: Table, id: bigint, other: bigint | undefined): boolean {
  const sequenceOf = (one: bigint) => snapshotById(metadata, one)?.["sequence-number"];
  const [sequence, otherSequence] = [sequenceOf(id), other === undefined ? undefined : sequenceOf(other)];
  return sequence !== undefined && otherSequence !== undefined && sequence < otherSequence;
}

/** When a snapshot was made, in milliseconds; long ago when it has expired. */
export function timeOf(raw: Table, snapshotId: bigint): number {
  return raw.metadata.snapshots.find((one) => one["snapshot-id"] === snapshotId)?.["timestamp-ms"] ?? -Infinity;
}
