import { LakeError } from "../lake-error.ts";
import type { Snapshot } from "../metadata/snapshot.ts";
import { currentSnapshot, snapshotById, type TableMetadata } from "../metadata/table-metadata.ts";

export type SnapshotChoice =
  | { readonly snapshotId: bigint }
  | { readonly asOfMs: number }
  /** A branch or tag. */
  | { readonly ref: string };

/**
 * The snapshot that a reader asks for: the current one, one by its id, the one that was current at a moment, or the one
 * that a branch or tag names.
 *
 * Moments are looked up in the snapshot log, which says what was current when. The parent chain does not: after a
 * rollback it leads past snapshots that readers saw.
 * @returns undefined only for the current snapshot of a table without any
 * @throws LakeError `not_found` for an unknown id or name, and for a moment before the first entry that is left
 */
export function resolveSnapshot(metadata: TableMetadata, choice?: SnapshotChoice): Snapshot | undefined {
  if (choice === undefined) return currentSnapshot(metadata);
  const id = idOf(metadata, choice);
  const snapshot = snapshotById(metadata, id);
  if (snapshot !== undefined) return snapshot;
  throw new LakeError("not_found", `snapshot ${id} is not in the table`, { context: { snapshotId: String(id) } });
}

function idOf(metadata: TableMetadata, choice: SnapshotChoice): bigint {
  if ("snapshotId" in choice) return choice.snapshotId;
  if ("asOfMs" in choice) return idAsOf(metadata, choice.asOfMs);
  const ref = Object.hasOwn(metadata.refs, choice.ref) ? metadata.refs[choice.ref] : undefined;
  if (ref !== undefined) return ref["snapshot-id"];
  throw new LakeError("not_found", `there is no branch or tag ${choice.ref}`, { context: { ref: choice.ref } });
}

function idAsOf(metadata: TableMetadata, asOfMs: number): bigint {
  const entry = metadata["snapshot-log"].findLast((candidate) => candidate["timestamp-ms"] <= asOfMs);
  if (entry !== undefined) return entry["snapshot-id"];
  throw new LakeError("not_found", `no snapshot is known at or before ${new Date(asOfMs).toISOString()}`, {
    context: { asOfMs },
  });
}
