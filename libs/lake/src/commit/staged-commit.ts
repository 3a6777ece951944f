import type { TableCommit, TableIdentifier } from "../catalog/catalog.ts";

/**
 * A commit that is decided to the last byte: snapshot ids, manifests and lists are in the store, nothing is visible.
 * Posting it twice is safe, because both posts assert the same parent.
 */
export interface StagedCommit {
  readonly identifier: TableIdentifier;
  readonly tableUuid: string;
  /** Snapshots that it adds, oldest first. Empty when it only changes properties. */
  readonly snapshotIds: readonly bigint[];
  /** The snapshot of main that it stands on; undefined for a table without one. */
  readonly parentSnapshotId?: bigint;
  readonly commit: TableCommit;
  /** Manifests and manifest lists that were written for it. */
  readonly locations: readonly string[];
}
