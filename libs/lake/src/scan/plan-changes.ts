import type { LakeEnvironment } from "../commit/environment.ts";
import { currentFiles } from "../commit/current-files.ts";
import { snapshotDiff } from "../commit/snapshot-diff.ts";
import type { Table } from "../commit/table.ts";
import { snapshotById } from "../metadata/table-metadata.ts";
import { planFiles, type ScanPlan } from "./scan-plan.ts";

/**
 * Where the rows are that came and went between two snapshots. A row may be in both, and one that was only moved to
 * another file by an overwrite is: who wants the true difference compares them.
 */
export interface PlannedChanges {
  /** Files that were added, read whole: rows that a later snapshot deleted again are among them. */
  readonly added: ScanPlan;
  /** Files that an overwrite removed, read whole. */
  readonly removed: ScanPlan;
  /** Files with rows that were deleted by position: to be read with `rows: "deleted"`. */
  readonly deleted: ScanPlan;
}

/**
 * Plans the changes from one snapshot of main to a later one; merging and compaction do not count. undefined when a
 * snapshot between them has expired, so that nobody can tell.
 */
export async function planChanges(
  env: LakeEnvironment,
  table: Table,
  from: bigint,
  to: bigint,
): Promise<PlannedChanges | undefined> {
  const diff = await snapshotDiff(env, table, from, to);
  if (diff === undefined) return undefined;
  const snapshot = snapshotById(table.metadata, to);
  const whole = (data: typeof diff.addedData) => planFiles(table.metadata, snapshot, { data, deletes: [] });
  return {
    added: whole(diff.addedData),
    removed: whole(diff.removedData),
    deleted: await planDeleted(env, table, from, to, diff.addedData, diff.addedDeletes),
  };
}

async function planDeleted(
  env: LakeEnvironment,
  table: Table,
  from: bigint,
  to: bigint,
  added: ScanPlan["tasks"][number]["file"][],
  deletes: ScanPlan["tasks"][number]["file"][],
): Promise<ScanPlan> {
  const snapshot = snapshotById(table.metadata, to);
  if (deletes.length === 0) return planFiles(table.metadata, snapshot, { data: [], deletes: [] });
  const before = await currentFiles(env, table, from);
  const plan = planFiles(table.metadata, snapshot, { data: [...before.data, ...added], deletes });
  return { ...plan, tasks: plan.tasks.filter((task) => task.deletes.length > 0) };
}
