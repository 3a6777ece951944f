import type { LiveFile } from "../manifest/data-file.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import { deleteFilesOf, planFiles, type ScanTask, type SnapshotFiles } from "../scan/scan-plan.ts";
import { boundSpec, partitionKey, type BoundSpec } from "../transform/bound-spec.ts";

export interface MergePolicy {
  /** Files of about this size are full grown: they are only read again when too many of their rows are deleted. */
  readonly targetBytes: number;
  /** Files below this size are of the lowest level. */
  readonly smallestBytes: number;
  /** Each level is this many times larger than the one below; a merge needs this many files of one level. */
  readonly fanIn: number;
  /** A file of whose rows more than this share is deleted is written anew. */
  readonly deletedShareMax: number;
  /** A file to which more delete files than this apply is written anew. */
  readonly deleteFilesMax: number;
  /** Rows that one merge reads at most; a single group may have more. */
  readonly rowsMax: number;
  /** Files that one merge reads at most; a single group may have more. */
  readonly filesMax: number;
}

/** What is merged when: levels from 256 KiB, each six times the one below, up to 128 MiB. */
export const MERGE_POLICY: MergePolicy = {
  targetBytes: 128 * 1024 * 1024,
  smallestBytes: 256 * 1024,
  fanIn: 6,
  deletedShareMax: 0.1,
  deleteFilesMax: 4,
  rowsMax: 2_000_000,
  filesMax: 5_000,
};

/** Files of one partition that become one. */
export interface MergeGroup {
  readonly tasks: readonly ScanTask[];
  readonly rows: number;
  readonly bytes: number;
}

export interface MergePlan {
  readonly groups: readonly MergeGroup[];
  /** Delete files that apply to no data file once the groups are merged. */
  readonly removedDeletes: readonly LiveFile[];
  /** Whether more groups were worth merging than `rowsMax` and `filesMax` allow. */
  readonly more: boolean;
}

/**
 * Chooses the files to merge: those of one partition that share a level, once there are `fanIn` of them, so that a row
 * is rewritten at most once a level; and files with many deleted rows. Groups that shed the most files for the fewest
 * rows come first. No I/O.
 */
export function planMerge(
  metadata: TableMetadata,
  files: SnapshotFiles,
  policy: MergePolicy = MERGE_POLICY,
): MergePlan {
  const { tasks } = planFiles(metadata, undefined, files);
  const groups = [...byPartition(metadata, tasks).values()].flatMap((members) => groupsOf(members, policy));
  groups.sort((one, other) => gain(other) - gain(one));
  const chosen: MergeGroup[] = [];
  let rows = 0;
  let filesRead = 0;
  for (const group of groups) {
    const fits = rows + group.rows <= policy.rowsMax && filesRead + group.tasks.length <= policy.filesMax;
    if (chosen.length > 0 && !fits) continue;
    chosen.push(group);
    rows += group.rows;
    filesRead += group.tasks.length;
  }
  const merged = new Set(chosen.flatMap((group) => group.tasks));
  const needed = deleteFilesOf(tasks.filter((task) => !merged.has(task)));
  const used = deleteFilesOf([...merged]);
  return {
    groups: chosen,
    removedDeletes: [...used].filter((file) => !needed.has(file)),
    more: chosen.length < groups.length,
  };
}

/** Files that a merge sheds for each row that it reads. */
const gain = (group: MergeGroup): number => {
  const deletes = deleteFilesOf(group.tasks).size;
  return (group.tasks.length - 1 + deletes) / Math.max(1, group.rows);
};

function byPartition(metadata: TableMetadata, tasks: readonly ScanTask[]): Map<string, ScanTask[]> {
  const specs = new Map<number, BoundSpec>();
  const partitions = new Map<string, ScanTask[]>();
  for (const task of tasks) {
    const { specId, partition } = task.file;
    const spec = specs.get(specId) ?? boundSpec(metadata, specId);
    specs.set(specId, spec);
    const key = partitionKey(spec, partition);
    const members = partitions.get(key);
    if (members === undefined) partitions.set(key, [task]);
    else members.push(task);
  }
  return partitions;
}

function groupsOf(members: readonly ScanTask[], policy: MergePolicy): MergeGroup[] {
  const merging = new Set([...levelsToMerge(members, policy), ...members.filter((task) => isWorn(task, policy))]);
  const groups: MergeGroup[] = [];
  let group: ScanTask[] = [];
  let bytes = 0;
  for (const task of members.filter((member) => merging.has(member)).sort(bySize)) {
    if (group.length > 0 && bytes + task.file.fileSizeBytes > policy.targetBytes) {
      groups.push(mergeGroup(group));
      [group, bytes] = [[], 0];
    }
    group.push(task);
    bytes += task.file.fileSizeBytes;
  }
  if (group.length > 0) groups.push(mergeGroup(group));
  return groups.filter(({ tasks }) => tasks.length > 1 || isWorn(tasks[0]!, policy));
}

const bySize = (one: ScanTask, other: ScanTask): number => one.file.fileSizeBytes - other.file.fileSizeBytes;

function mergeGroup(tasks: readonly ScanTask[]): MergeGroup {
  return {
    tasks,
    rows: tasks.reduce((sum, { file }) => sum + file.recordCount, 0),
    bytes: tasks.reduce((sum, { file }) => sum + file.fileSizeBytes, 0),
  };
}

/**
 * Files of the highest level that is full, and of all below it: those would only meet again in the next merge. Files
 * that merge move up a level, and may fill that one too.
 */
function levelsToMerge(members: readonly ScanTask[], policy: MergePolicy): ScanTask[] {
  const small = members.filter(({ file }) => file.fileSizeBytes < policy.targetBytes / 2);
  const levels = new Map<number, number>();
  for (const { file } of small) levels.set(levelOf(file, policy), (levels.get(levelOf(file, policy)) ?? 0) + 1);
  let highest = -1;
  for (const [level, count] of levels) if (count >= policy.fanIn && level > highest) highest = level;
  return small.filter(({ file }) => levelOf(file, policy) <= highest);
}

function levelOf(file: LiveFile, policy: MergePolicy): number {
  if (file.fileSizeBytes < policy.smallestBytes) return 0;
  return 1 + Math.floor(Math.log(file.fileSizeBytes / policy.smallestBytes) / Math.log(policy.fanIn));
}

/**
 * Delete files of a whole partition count in full for each of its files, and so do equality deletes: how many rows of
 * which file is not known.
 */
function isWorn(task: ScanTask, policy: MergePolicy): boolean {
  const deletes = [...task.deletes, ...equalityDeletesOf(task)];
  if (deletes.length === 0) return false;
  if (deletes.length > policy.deleteFilesMax) return true;
  const deletedRows = deletes.reduce((sum, deleted) => sum + deleted.recordCount, 0);
  return deletedRows > policy.deletedShareMax * task.file.recordCount;
}

/** A group of them also has files that are older than the data file. */
function equalityDeletesOf({ equalityDeletes = [], file }: ScanTask): LiveFile[] {
  return equalityDeletes.flatMap(({ files }) => files.filter((one) => one.sequenceNumber > file.sequenceNumber));
}
