import { setTimeout as sleep } from "node:timers/promises";
import { isLakeError } from "../lake-error.ts";
import { MAIN_BRANCH } from "../metadata/snapshot.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import type { TableCommit } from "../catalog/catalog.ts";
import type { LakeEnvironment } from "./environment.ts";
import { loadTable, tableOf, type Table } from "./table.ts";
import { findUnreachable } from "./unreachable-files.ts";

export interface ExpiredSnapshots {
  /** `conflict`: another commit came between; nothing was expired or deleted. */
  readonly kind: "expired" | "conflict";
  readonly table: Table;
  readonly snapshots: number;
  readonly filesDeleted: FileCounts;
  /** Deletions that failed: orphan removal finds these files later. */
  readonly deletionsFailed: number;
}

export interface FileCounts {
  readonly dataFiles: number;
  readonly manifests: number;
  readonly lists: number;
}

const NO_FILES: FileCounts = { dataFiles: 0, manifests: 0, lists: 0 };
const ATTEMPTS_MAX = 5;
const WAIT_MS = 200;
const DELETE_CONCURRENCY = 16;

/**
 * Takes snapshots out of the table and then deletes the files that only they led to. Files go only when it is certain
 * that the snapshots went: after an unknown outcome the table is looked at, and the same removal posted again.
 * Fails like a commit; a failure deletes nothing.
 */
export async function expireSnapshots(
  env: LakeEnvironment,
  table: Table,
  snapshotIds: readonly bigint[],
): Promise<ExpiredSnapshots> {
  const { metadata } = table;
  const expired = new Set(snapshotIds);
  if (expired.size === 0) {
    return { kind: "expired", table, snapshots: 0, filesDeleted: NO_FILES, deletionsFailed: 0 };
  }
  const after = await postRemoval(env, table, expired);
  if (hasAny(after.metadata, expired)) {
    return { kind: "conflict", table: after, snapshots: 0, filesDeleted: NO_FILES, deletionsFailed: 0 };
  }
  const { dataFiles, manifests, lists } = await findUnreachable(env, metadata, expired);
  const deletionsFailed = await deleteAll(env, [...dataFiles, ...manifests, ...lists]);
  const filesDeleted = { dataFiles: dataFiles.length, manifests: manifests.length, lists: lists.length };
  return { kind: "expired", table: after, snapshots: expired.size, filesDeleted, deletionsFailed };
}

/** The table after the removal, or as it is when the removal met a conflict. */
async function postRemoval(env: LakeEnvironment, table: Table, expired: ReadonlySet<bigint>): Promise<Table> {
  const { identifier, metadata } = table;
  const commit: TableCommit = {
    requirements: [
      { type: "assert-table-uuid", uuid: metadata["table-uuid"] },
      {
        type: "assert-ref-snapshot-id",
        ref: MAIN_BRANCH,
        "snapshot-id": metadata.refs[MAIN_BRANCH]?.["snapshot-id"] ?? null,
      },
    ],
    updates: [{ action: "remove-snapshots", "snapshot-ids": [...expired] }],
  };
  for (let attempt = 1; ; attempt++) {
    try {
      return tableOf(identifier, await env.catalog.commitTable(identifier, commit));
    } catch (error) {
      if (!isLakeError(error, "conflict", "unknown_outcome", "unavailable")) throw error;
      if (error.kind === "unavailable") {
        if (attempt >= ATTEMPTS_MAX) throw error;
      } else {
        const found = await loadTable(env, identifier);
        if (found.metadata["table-uuid"] !== metadata["table-uuid"]) throw error;
        // Gone, by this commit or by another's: either way nothing leads to them. Refused: the caller plans again.
        if (!hasAny(found.metadata, expired) || error.kind === "conflict") return found;
        if (attempt >= ATTEMPTS_MAX) throw error;
      }
      await sleep(WAIT_MS * attempt);
    }
  }
}

function hasAny(metadata: TableMetadata, ids: ReadonlySet<bigint>): boolean {
  return metadata.snapshots.some((snapshot) => ids.has(snapshot["snapshot-id"]));
}

async function deleteAll(env: LakeEnvironment, locations: readonly string[]): Promise<number> {
  let failed = 0;
  for (let start = 0; start < locations.length; start += DELETE_CONCURRENCY) {
    const some = locations.slice(start, start + DELETE_CONCURRENCY);
    const ends = await Promise.allSettled(some.map((location) => env.store.delete(location)));
    failed += ends.filter((end) => end.status === "rejected").length;
  }
  return failed;
}
