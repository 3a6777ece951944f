import type { LiveFile } from "../manifest/data-file.ts";
import type { ScanTask } from "../scan/scan-plan.ts";

/** Delete files with more rows than this are not written anew to take a few more. */
const ABSORBED_ROWS_MAX = 500_000;

/**
 * The delete files whose rows move into the new delete files of the same partitions, so that a partition keeps one and
 * not one for each commit; and the tasks that they apply to.
 */
export function absorbableDeletes(
  marked: readonly ScanTask[],
  everything: readonly ScanTask[],
): { absorbed: LiveFile[]; users: ScanTask[] } {
  const absorbed = new Set(
    marked.flatMap((task) => task.deletes).filter((file) => file.recordCount <= ABSORBED_ROWS_MAX),
  );
  const users = absorbed.size === 0 ? [] : everything.filter((task) => task.deletes.some((file) => absorbed.has(file)));
  return { absorbed: [...absorbed], users };
}

/** Delete files that applied to data files, and to none of those that remain. */
export function deletesWithoutData(
  deletes: readonly LiveFile[],
  before: readonly ScanTask[],
  remaining: readonly ScanTask[],
): LiveFile[] {
  if (deletes.length === 0) return [];
  const used = new Set(before.flatMap((task) => task.deletes));
  const needed = new Set(remaining.flatMap((task) => task.deletes));
  return deletes.filter((file) => used.has(file) && !needed.has(file));
}
