import { LakeError } from "../lake-error.ts";
import { MAIN_BRANCH, type SnapshotRef } from "../metadata/snapshot.ts";
import { snapshotById, type TableMetadata } from "../metadata/table-metadata.ts";
import { commitMetadata, type MetadataPlan } from "./commit-metadata.ts";
import type { LakeEnvironment } from "./environment.ts";
import type { Table } from "./table.ts";

/** How long a branch or tag, and what it leads to, is kept by expiry (specification, "Snapshot Retention Policy"). */
export interface ReferenceRetention {
  /** Branches only. */
  readonly minSnapshotsToKeep?: number;
  /** Branches only. */
  readonly maxSnapshotAgeMs?: number;
  readonly maxRefAgeMs?: number;
}

export interface ReferenceOptions extends ReferenceRetention {
  /** Default: the current snapshot of main. */
  readonly snapshotId?: bigint;
  /** True: an existing one is moved; default: it is refused. */
  readonly replace?: boolean;
}

/** Makes a branch, or moves it. @throws LakeError `already_exists`, `not_found` for the snapshot, `invalid` */
export function setBranch(
  env: LakeEnvironment,
  table: Table,
  name: string,
  options: ReferenceOptions = {},
): Promise<Table> {
  return commitMetadata(env, table, (metadata) => planReference(metadata, name, "branch", options));
}

/** Makes a tag, or moves it. @throws LakeError `already_exists`, `not_found` for the snapshot, `invalid` */
export function setTag(
  env: LakeEnvironment,
  table: Table,
  name: string,
  options: ReferenceOptions = {},
): Promise<Table> {
  return commitMetadata(env, table, (metadata) => planReference(metadata, name, "tag", options));
}

/** Drops a branch or tag; main cannot be dropped. @throws LakeError `not_found`, `invalid` */
export function dropReference(env: LakeEnvironment, table: Table, name: string): Promise<Table> {
  return commitMetadata(env, table, (metadata) => {
    if (name === MAIN_BRANCH) throw invalid(name, "main cannot be dropped");
    const ref = referenceOf(metadata, name);
    if (ref === undefined)
      throw new LakeError("not_found", `there is no branch or tag ${name}`, { context: { ref: name } });
    return {
      requirements: [{ type: "assert-ref-snapshot-id", ref: name, "snapshot-id": ref["snapshot-id"] }],
      updates: [{ action: "remove-snapshot-ref", "ref-name": name }],
      isApplied: (after) => referenceOf(after, name) === undefined,
    };
  });
}

/**
 * Makes an ancestor of main's snapshot the current one again. Snapshots after it stay until they expire; the snapshot
 * log says what was current when.
 * @throws LakeError `invalid` when it is no ancestor: `setCurrentSnapshot` takes any
 */
export function rollbackTo(env: LakeEnvironment, table: Table, snapshotId: bigint): Promise<Table> {
  return commitMetadata(env, table, (metadata) => {
    requireSnapshot(metadata, snapshotId);
    if (!isAncestor(metadata, snapshotId)) {
      throw invalid(String(snapshotId), "the snapshot is not an ancestor of the current one");
    }
    return planMain(metadata, snapshotId);
  });
}

/** The same to what was current at a moment, by the snapshot log. @throws LakeError `not_found` */
export function rollbackToTime(env: LakeEnvironment, table: Table, asOfMs: number): Promise<Table> {
  return commitMetadata(env, table, (metadata) => {
    const entry = metadata["snapshot-log"].findLast(
      (one) => one["timestamp-ms"] <= asOfMs && isAncestor(metadata, one["snapshot-id"]),
    );
    if (entry !== undefined) return planMain(metadata, entry["snapshot-id"]);
    const at = new Date(asOfMs).toISOString();
    throw new LakeError("not_found", `no ancestor of the current snapshot was current at ${at}`, {
      context: { asOfMs },
    });
  });
}

/** Makes any snapshot of the table the current one of main. @throws LakeError `not_found` */
export function setCurrentSnapshot(env: LakeEnvironment, table: Table, snapshotId: bigint): Promise<Table> {
  return commitMetadata(env, table, (metadata) => {
    requireSnapshot(metadata, snapshotId);
    return planMain(metadata, snapshotId);
  });
}

/**
 * Moves main to the snapshot of a branch that stands on it.
 * @throws LakeError `invalid` when main has gone on meanwhile
 */
export function fastForward(env: LakeEnvironment, table: Table, branch: string): Promise<Table> {
  return commitMetadata(env, table, (metadata) => {
    const ref = referenceOf(metadata, branch);
    if (ref === undefined)
      throw new LakeError("not_found", `there is no branch ${branch}`, { context: { ref: branch } });
    const current = metadata["current-snapshot-id"];
    if (current !== undefined && !isAncestor(metadata, current, ref["snapshot-id"])) {
      throw invalid(branch, "main has snapshots that the branch has not");
    }
    return planMain(metadata, ref["snapshot-id"]);
  });
}

function planReference(
  metadata: TableMetadata,
  name: string,
  type: SnapshotRef["type"],
  options: ReferenceOptions,
): MetadataPlan {
  const snapshotId = options.snapshotId ?? metadata["current-snapshot-id"];
  if (name.trim() === "") throw invalid(name, "a branch or tag needs a name");
  if (name === MAIN_BRANCH) throw invalid(name, "main is moved by commits, rollbackTo and setCurrentSnapshot");
  if (snapshotId === undefined) throw invalid(name, "the table has no snapshot that it could name");
  requireSnapshot(metadata, snapshotId);
  const before = referenceOf(metadata, name);
  if (before !== undefined && options.replace !== true) {
    throw new LakeError("already_exists", `there is a ${before.type} ${name} already`, { context: { ref: name } });
  }
  if (before !== undefined && before.type !== type) throw invalid(name, `it is a ${before.type}, not a ${type}`);
  const ref: SnapshotRef = { type, "snapshot-id": snapshotId, ...retentionOf(name, type, options) };
  return {
    requirements: [{ type: "assert-ref-snapshot-id", ref: name, "snapshot-id": before?.["snapshot-id"] ?? null }],
    updates: [{ action: "set-snapshot-ref", "ref-name": name, ...ref }],
    isApplied: (after) => referenceOf(after, name)?.["snapshot-id"] === snapshotId,
  };
}

function retentionOf(name: string, type: SnapshotRef["type"], options: ReferenceRetention): Partial<SnapshotRef> {
  const { minSnapshotsToKeep, maxSnapshotAgeMs, maxRefAgeMs } = options;
  if (type === "tag" && (minSnapshotsToKeep ?? maxSnapshotAgeMs) !== undefined) {
    throw invalid(name, "a tag keeps one snapshot, and has a max age of its own only");
  }
  for (const value of [minSnapshotsToKeep, maxSnapshotAgeMs, maxRefAgeMs]) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw invalid(name, "retention is in whole numbers above zero");
    }
  }
  return {
    ...(minSnapshotsToKeep === undefined ? {} : { "min-snapshots-to-keep": minSnapshotsToKeep }),
    ...(maxSnapshotAgeMs === undefined ? {} : { "max-snapshot-age-ms": maxSnapshotAgeMs }),
    ...(maxRefAgeMs === undefined ? {} : { "max-ref-age-ms": maxRefAgeMs }),
  };
}

function planMain(metadata: TableMetadata, snapshotId: bigint): MetadataPlan {
  const current = metadata["current-snapshot-id"];
  const ref = { type: "branch" as const, ...referenceOf(metadata, MAIN_BRANCH), "snapshot-id": snapshotId };
  return {
    requirements: [{ type: "assert-ref-snapshot-id", ref: MAIN_BRANCH, "snapshot-id": current ?? null }],
    updates: current === snapshotId ? [] : [{ action: "set-snapshot-ref", "ref-name": MAIN_BRANCH, ...ref }],
    isApplied: (after) => after["current-snapshot-id"] === snapshotId,
  };
}

function referenceOf(metadata: TableMetadata, name: string): SnapshotRef | undefined {
  return Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined;
}

function requireSnapshot(metadata: TableMetadata, snapshotId: bigint): void {
  if (snapshotById(metadata, snapshotId) !== undefined) return;
  throw new LakeError("not_found", `snapshot ${snapshotId} is not in the table`, {
    context: { snapshotId: String(snapshotId) },
  });
}

/** Whether the chain of parents leads from `of` (default: main's snapshot) to the snapshot. */
function isAncestor(metadata: TableMetadata, snapshotId: bigint, of = metadata["current-snapshot-id"]): boolean {
  const seen = new Set<bigint>();
  for (let id = of; id !== undefined && !seen.has(id); id = snapshotById(metadata, id)?.["parent-snapshot-id"]) {
    if (id === snapshotId) return true;
    seen.add(id);
  }
  return false;
}

function invalid(name: string, rule: string): LakeError {
  return new LakeError("invalid", `${name}: ${rule}`, { context: { field: name, rule } });
}
