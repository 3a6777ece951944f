/**
 * Where another engine's changes lie: files that came since the last commit of ours, and those that lost rows.
 */
import { positionEntry } from "@firn/core";
import {
  currentSnapshot,
  type LakeEnvironment,
  planScan,
  type ScanPlan,
  type ScanTask,
  type Snapshot,
  snapshotById,
  type Table,
  type TableMetadata,
} from "@firn/lake";

/**
 * The newest snapshot of ours on main. `none`: there is none, everything came from others; `expired`: there may have
 * been one.
 */
export type LastOwn =
  | { readonly kind: "found"; readonly snapshot: Snapshot; readonly changesSince: boolean }
  | { readonly kind: "none" | "expired" };

/** @param changesNoRow whether a snapshot left every row as it was */
export function lastOwnSnapshot(metadata: TableMetadata, changesNoRow: (snapshot: Snapshot) => boolean): LastOwn {
  let current: Snapshot | undefined = currentSnapshot(metadata);
  let changesSince = false;
  while (current !== undefined) {
    if (current.summary?.[positionEntry] !== undefined) return { kind: "found", snapshot: current, changesSince };
    changesSince ||= !changesNoRow(current);
    const parent: bigint | undefined = current["parent-snapshot-id"];
    if (parent === undefined) return { kind: "none" };
    current = snapshotById(metadata, parent);
  }
  return { kind: "expired" };
}

/** Plans of rows that went and came. */
export interface ForeignFiles {
  /** Files that are gone, to be read live. */
  readonly removed: ScanPlan;
  /** Files that are still there and lost rows, to be read with `rows: "deleted"`. */
  readonly deleted: ScanPlan;
  /** Files that came, to be read live, in the order in which they were committed. */
  readonly added: ScanPlan;
}

/** What differs between two snapshots, whatever lies between them; from undefined: everything was added. */
export async function foreignFiles(
  env: LakeEnvironment,
  table: Table,
  from: Snapshot | undefined,
): Promise<ForeignFiles> {
  const now = await planScan({ env, table });
  // The past is read with the names of today.
  const before =
    from === undefined
      ? { ...now, tasks: [] }
      : { ...(await planScan({ env, table, snapshotId: from["snapshot-id"] })), schema: now.schema };
  const known = new Map(before.tasks.map((task) => [task.file.filePath, task]));
  const present = new Set(now.tasks.map((task) => task.file.filePath));
  const added = now.tasks
    .filter((task) => !known.has(task.file.filePath))
    .toSorted((one, other) => one.file.sequenceNumber - other.file.sequenceNumber);
  const deleted = now.tasks.flatMap((task): ScanTask[] => {
    const earlier = known.get(task.file.filePath);
    if (earlier === undefined || sameDeletes(task, earlier)) return [];
    const { deletes, equalityDeletes } = earlier;
    return [
      {
        ...task,
        deletesBefore: deletes,
        ...(equalityDeletes === undefined ? {} : { equalityDeletesBefore: equalityDeletes }),
      },
    ];
  });
  return {
    removed: { ...before, tasks: before.tasks.filter((task) => !present.has(task.file.filePath)) },
    deleted: { ...now, tasks: deleted },
    added: { ...now, tasks: added },
  };
}

function sameDeletes(one: ScanTask, other: ScanTask): boolean {
  return deleteNames(one) === deleteNames(other);
}

function deleteNames({ deletes, equalityDeletes = [] }: ScanTask): string {
  const files = [...deletes, ...equalityDeletes.flatMap((group) => group.files)];
  return files
    .map((file) => `${file.filePath}@${file.contentOffset ?? ""}`)
    .sort()
    .join("\n");
}
