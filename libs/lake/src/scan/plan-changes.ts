import type { LakeEnvironment } from "../commit/environment.ts";
import { currentFiles, type CurrentFiles } from "../commit/current-files.ts";
import { snapshotDiff, type SnapshotDiff } from "../commit/snapshot-diff.ts";
import type { Table } from "../commit/table.ts";
import { snapshotById } from "../metadata/table-metadata.ts";
import { deleteIndex } from "./delete-index.ts";
import { hasDeletes } from "./deleted-rows.ts";
import { planFiles, type ScanPlan } from "./scan-plan.ts";

/**
 * Where the rows are that came and went between two snapshots. A row may be in both, and one that was only moved to
 * another file by an overwrite is: who wants the true difference compares them.
 */
export interface PlannedChanges {
  /** Files that were added, read whole: rows that a later snapshot deleted again are among them. */
  readonly added: ScanPlan;
  /** Files that an overwrite removed, without the rows that were deleted in them already at the first snapshot. */
  readonly removed: ScanPlan;
  /** Files with rows that were deleted by position since: to be read with `rows: "deleted"`. */
  readonly deleted: ScanPlan;
}

/**
 * Plans the changes from one snapshot of main to a later one; merging and compaction do not count. undefined when one
 * of the snapshots has expired, so that nobody can tell.
 */
export async function planChanges(
  env: LakeEnvironment,
  table: Table,
  from: bigint,
  to: bigint,
): Promise<PlannedChanges | undefined> {
  const { metadata } = table;
  const snapshot = snapshotById(metadata, to);
  const diff = await snapshotDiff(env, table, from, to);
  if (diff === undefined || snapshotById(metadata, from) === undefined) return undefined;
  const before = await currentFiles(env, table, from);
  return {
    added: planFiles(metadata, snapshot, { data: diff.addedData, deletes: [] }),
    removed: planFiles(metadata, snapshot, { data: diff.removedData, deletes: before.deletes }),
    deleted: planDeleted(table, snapshot, before, diff),
  };
}

/**
 * Delete files of a partition are written anew when more of its rows are deleted, so what was deleted before stands in
 * the new ones too. They may also name files that a merge wrote in between.
 */
function planDeleted(
  { metadata }: Table,
  snapshot: ReturnType<typeof snapshotById>,
  before: CurrentFiles,
  diff: SnapshotDiff,
): ScanPlan {
  const data = diff.addedDeletes.length === 0 ? [] : [...before.data, ...diff.addedData, ...diff.rewrittenData];
  const plan = planFiles(metadata, snapshot, { data, deletes: diff.addedDeletes });
  const deletedBefore = deleteIndex(metadata, before.deletes);
  const tasks = plan.tasks.filter(hasDeletes).map((task) => ({
    ...task,
    deletesBefore: deletedBefore.deletesOf(task.file),
    equalityDeletesBefore: deletedBefore.equalityDeletesOf(task.file),
  }));
  return { ...plan, tasks };
}
