import type { LiveFile } from "../manifest/data-file.ts";
import type { Schema } from "../metadata/schema.ts";
import type { Snapshot } from "../metadata/snapshot.ts";
import { currentSchema, schemaById, type TableMetadata } from "../metadata/table-metadata.ts";
import { deleteIndex } from "./delete-index.ts";
import type { EqualityDeletes } from "./equality-deletes.ts";
import { fileFilter } from "./file-filter.ts";
import type { Predicate } from "./predicate.ts";
import { readingRules, type ReadingRules } from "./reading-rules.ts";

/** A data file to read, and what takes rows of it. */
export interface ScanTask {
  readonly file: LiveFile;
  /** Position delete files and deletion vectors. */
  readonly deletes: readonly LiveFile[];
  /** Equality deletes, in groups that tasks share: there may be as many files as commits. */
  readonly equalityDeletes?: readonly EqualityDeletes[];
  /** Absent: by field ids alone. */
  readonly reading?: ReadingRules;
  /** Of a plan of changes: the delete files that applied before. */
  readonly deletesBefore?: readonly LiveFile[];
  readonly equalityDeletesBefore?: readonly EqualityDeletes[];
}

export interface ScanStats {
  /** Data files of the snapshot that were looked at. Whole manifests may have been left out before. */
  readonly filesSeen: number;
  readonly filesPlanned: number;
  readonly deleteFilesPlanned: number;
  /** Rows and bytes of the planned data files, deleted rows included. */
  readonly rowsPlanned: number;
  readonly bytesPlanned: number;
}

/** Which files a scan reads. `where` is not applied by the files alone: rows must still be filtered by it. */
export interface ScanPlan {
  /** undefined: the table has no snapshot, and there is nothing to read. */
  readonly snapshot: Snapshot | undefined;
  /** Names and types of the rows: the current schema, or for an older snapshot its own. */
  readonly schema: Schema;
  readonly where: Predicate | undefined;
  readonly tasks: readonly ScanTask[];
  readonly stats: ScanStats;
}

export interface SnapshotFiles {
  readonly data: readonly LiveFile[];
  readonly deletes: readonly LiveFile[];
}

/** The schema that rows of a snapshot are read with. */
export function scanSchema(metadata: TableMetadata, snapshot: Snapshot | undefined): Schema {
  const own = snapshot?.["schema-id"];
  const isCurrent = snapshot === undefined || snapshot["snapshot-id"] === metadata["current-snapshot-id"];
  return isCurrent || own === undefined ? currentSchema(metadata) : schemaById(metadata, own);
}

/** Plans a scan over files that are known already: partition and bounds pruning, delete files matched. No I/O. */
export function planFiles(
  metadata: TableMetadata,
  snapshot: Snapshot | undefined,
  files: SnapshotFiles,
  where?: Predicate,
  schema: Schema = scanSchema(metadata, snapshot),
): ScanPlan {
  const mayMatch = fileFilter(metadata, schema, where);
  const reading = readingRules(metadata);
  const index = deleteIndex(metadata, files.deletes, reading);
  const tasks = files.data
    .filter((file) => file.recordCount > 0 && mayMatch(file))
    .map((file): ScanTask => {
      const equalityDeletes = index.equalityDeletesOf(file);
      const task = { file, deletes: index.deletesOf(file), reading };
      return equalityDeletes.length === 0 ? task : { ...task, equalityDeletes };
    });
  return { snapshot, schema, where, tasks, stats: scanStats(files.data.length, tasks) };
}

function scanStats(filesSeen: number, tasks: readonly ScanTask[]): ScanStats {
  return {
    filesSeen,
    filesPlanned: tasks.length,
    deleteFilesPlanned: deleteFilesOf(tasks).size,
    rowsPlanned: tasks.reduce((sum, { file }) => sum + file.recordCount, 0),
    bytesPlanned: tasks.reduce((sum, { file }) => sum + file.fileSizeBytes, 0),
  };
}

/** The delete files that tasks need, each once. */
export function deleteFilesOf(tasks: readonly ScanTask[]): Set<LiveFile> {
  const files = new Set<LiveFile>();
  const groups = new Set<EqualityDeletes>();
  for (const task of tasks) {
    for (const file of task.deletes) files.add(file);
    for (const group of task.equalityDeletes ?? []) groups.add(group);
  }
  for (const group of groups) for (const file of group.files) files.add(file);
  return files;
}
