import { applyUpdates } from "./apply-updates.ts";
import { shapeError } from "./json-shape.ts";
import { checkRequirements, type TableRequirement } from "./requirements.ts";
import type { TableMetadata } from "./table-metadata.ts";
import type { TableUpdate } from "./updates.ts";

/** The table that a commit is applied to. */
export interface CommitBase {
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
}

export interface RequestedCommit {
  readonly requirements: readonly TableRequirement[];
  readonly updates: readonly TableUpdate[];
}

/** A commit that makes its table says so by `assert-create`, which then stands alone. */
export function isCreate(commit: RequestedCommit): boolean {
  const create = commit.requirements.some((requirement) => requirement.type === "assert-create");
  if (create && commit.requirements.some((requirement) => requirement.type !== "assert-create")) {
    throw shapeError("requirements", "assert-create cannot stand beside other requirements");
  }
  return create;
}

/**
 * The metadata after a commit, without any I/O: requirements are checked against `base`, updates applied to it.
 * @returns the very `base.metadata` when the updates change nothing.
 * @throws LakeError `conflict` or `invalid`.
 */
export function planCommit(base: CommitBase | undefined, commit: RequestedCommit, nowMs: number): TableMetadata {
  checkRequirements(base?.metadata, commit.requirements);
  if (base !== undefined && commit.updates.length === 0) return base.metadata;
  return applyUpdates(base?.metadata, commit.updates, { nowMs, previousMetadataLocation: base?.metadataLocation });
}

/** Metadata files that left the log with this commit and are to be deleted, if the table wants it so. */
export function expiredMetadataFiles(before: TableMetadata, after: TableMetadata): string[] {
  if (after.properties["write.metadata.delete-after-commit.enabled"]?.toLowerCase() !== "true") return [];
  const kept = new Set(after["metadata-log"].map((entry) => entry["metadata-file"]));
  return before["metadata-log"].map((entry) => entry["metadata-file"]).filter((location) => !kept.has(location));
}

/** A load with `snapshots=refs`: only what a branch or tag points at; the logs stay. */
export function referencedSnapshotsOnly(metadata: TableMetadata): TableMetadata {
  const referenced = new Set(Object.values(metadata.refs).map((ref) => ref["snapshot-id"]));
  return { ...metadata, snapshots: metadata.snapshots.filter((snapshot) => referenced.has(snapshot["snapshot-id"])) };
}
