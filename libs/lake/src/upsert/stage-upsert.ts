import type { LakeEnvironment } from "../commit/environment.ts";
import { selectFiles } from "../commit/current-files.ts";
import type { Table } from "../commit/table.ts";
import type { KernelConnection } from "../kernel/duck.ts";
import { sqlName } from "../kernel/sql-text.ts";
import type { DataFile, LiveFile } from "../manifest/data-file.ts";
import { stagePositionDeletes } from "../parquet/stage-position-deletes.ts";
import { stageRows } from "../parquet/stage-rows.ts";
import { type Predicate } from "../scan/predicate.ts";
import { planFiles, type ScanTask } from "../scan/scan-plan.ts";
import { scanSql } from "../scan/scan-sql.ts";
import { absorbableDeletes, deletesWithoutData } from "./delete-upkeep.ts";
import { candidateTasks } from "./candidate-tasks.ts";
import { keyPlaces } from "./key-places.ts";
import { createKeyTable, dropTables, type KeyTable } from "./key-table.ts";

/** A file of which at least this share of rows changes is written anew; of others the rows are deleted by position. */
export const COPY_ON_WRITE_SHARE = 0.2;

/**
 * A file with at most this many rows is written anew whatever its share: a delete file costs as much as the rewrite,
 * and the rewritten rows join the new rows of their partition in one file.
 */
export const COPY_ON_WRITE_ROWS = 2_000;

export interface StageUpsertOptions {
  readonly env: LakeEnvironment;
  readonly table: Table;
  /** A SELECT of whole rows, each key once. They replace the rows of the same keys, or are new. */
  readonly rowsSql: string;
  /** A SELECT of the key columns of rows to delete. A key that is also in `rowsSql` is replaced. */
  readonly deleteKeysSql?: string | undefined;
  /** Columns that name a row. Compared by =, so a null is never found. */
  readonly keyColumns: readonly string[];
  /**
   * Where rows of the keys may lie now, beside the partitions that the new rows fall into: the caller vouches that all
   * others do not have them. Absent: anywhere, unless the partitions follow from the key columns.
   */
  readonly candidates?: Predicate | undefined;
  /** Default: the table's sort order. */
  readonly sort?: readonly string[] | undefined;
  readonly rowGroupRows?: number | undefined;
  readonly copyOnWriteShare?: number | undefined;
  readonly copyOnWriteRows?: number | undefined;
}

/** What an `overwrite` snapshot needs, and what it does to rows. */
export interface StagedUpsert {
  readonly addedData: DataFile[];
  readonly addedDeletes: DataFile[];
  readonly removedData: LiveFile[];
  readonly removedDeletes: LiveFile[];
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/**
 * Stages rows that replace or join those of a table, and deletions, by key.
 *
 * Rows of the keys are found by reading only the key columns of candidate files. Each file that has some is then
 * either written anew without them (with the new rows of its partition), or gets them deleted by position, whichever
 * costs less. Everything was planned on `table`'s current snapshot: when another commit that changed rows comes first,
 * it must be staged again.
 * @throws LakeError `invalid` when `rowsSql` has a key twice
 */
export async function stageUpsert(connection: KernelConnection, options: StageUpsertOptions): Promise<StagedUpsert> {
  const { env, table } = options;
  const keys = await createKeyTable(connection, options);
  try {
    const places = await keyPlaces(connection, options, keys);
    // Of partitions that hold none of the keys nothing is read: delete files apply within their own.
    const files = await selectFiles(env, table.metadata, { partitions: places?.filterOf });
    const everything = planFiles(table.metadata, undefined, files);
    const tasks = await candidateTasks(connection, options, keys, places, everything.tasks);
    const found = await findRows(connection, options, keys, tasks);
    return await stageChanges(connection, options, keys, found, everything.tasks, files.deletes);
  } finally {
    await dropTables(connection, keys.temporary);
  }
}

interface FoundRows {
  /** Tasks of which rows go; `file_at` of the hits is an index into it. */
  readonly tasks: readonly ScanTask[];
  readonly rowsOf: readonly number[];
  readonly updated: number;
  readonly deleted: number;
}

/** Fills the hit table (file_at, pos) with the rows that have one of the keys. */
async function findRows(
  connection: KernelConnection,
  { env, table, keyColumns }: StageUpsertOptions,
  keys: KeyTable,
  tasks: readonly ScanTask[],
): Promise<FoundRows> {
  const { schema } = planFiles(table.metadata, undefined, { data: [], deletes: [] });
  const scan = await scanSql(
    { schema, where: undefined, tasks },
    { store: env.store, columns: keyColumns, taskColumn: "__firn_file", positionColumn: "__firn_pos" },
  );
  const same = keyColumns.map((name) => `s.${sqlName(name)} = k.${sqlName(name)}`).join(" AND ");
  await connection.run(
    `CREATE TEMP TABLE ${sqlName(keys.hits)} AS SELECT s.__firn_file AS file_at, s.__firn_pos AS pos, k.__firn_new AS is_new
     FROM (${scan}) AS s JOIN ${sqlName(keys.keys)} AS k ON ${same}`,
  );
  const counts = await connection.rows<{ file_at: number; n: number }>(
    `SELECT file_at, count(*) AS n FROM ${sqlName(keys.hits)} GROUP BY file_at`,
  );
  const [totals] = await connection.rows<{ updated: number; deleted: number }>(
    `SELECT count(*) FILTER (is_new) AS updated, count(*) FILTER (NOT is_new) AS deleted FROM ${sqlName(keys.hits)}`,
  );
  const rowsOf = new Array<number>(tasks.length).fill(0);
  for (const { file_at, n } of counts) rowsOf[file_at] = n;
  return { tasks, rowsOf, updated: totals?.updated ?? 0, deleted: totals?.deleted ?? 0 };
}

async function stageChanges(
  connection: KernelConnection,
  options: StageUpsertOptions,
  keys: KeyTable,
  found: FoundRows,
  everything: readonly ScanTask[],
  deletes: readonly LiveFile[],
): Promise<StagedUpsert> {
  const indexes = found.tasks.map((_, at) => at).filter((at) => found.rowsOf[at]! > 0);
  const rewritten = indexes.filter((at) => isRewritten(options, found.tasks[at]!.file, found.rowsOf[at]!));
  const marked = indexes.filter((at) => !rewritten.includes(at));
  const removedData = rewritten.map((at) => found.tasks[at]!.file);
  const { addedDeletes, absorbed } = await stageMarks(connection, options, keys, found, marked, everything);
  const addedData = await stageNewRows(connection, options, keys, found, rewritten);
  const removed = new Set<LiveFile>(removedData);
  const remaining = everything.filter(({ file }) => !removed.has(file));
  return {
    addedData,
    addedDeletes,
    removedData,
    removedDeletes: [...new Set([...absorbed, ...deletesWithoutData(deletes, everything, remaining)])],
    inserted: keys.rows - found.updated,
    updated: found.updated,
    deleted: found.deleted,
  };
}

function isRewritten(options: StageUpsertOptions, file: LiveFile, rows: number): boolean {
  const share = options.copyOnWriteShare ?? COPY_ON_WRITE_SHARE;
  return file.recordCount <= (options.copyOnWriteRows ?? COPY_ON_WRITE_ROWS) || rows >= share * file.recordCount;
}

/** The new rows together with what stays of the files that are written anew. */
async function stageNewRows(
  connection: KernelConnection,
  options: StageUpsertOptions,
  keys: KeyTable,
  found: FoundRows,
  rewritten: readonly number[],
): Promise<DataFile[]> {
  const { env, table } = options;
  const { schema } = planFiles(table.metadata, undefined, { data: [], deletes: [] });
  const names = schema.fields.map((field) => sqlName(field.name)).join(", ");
  const parts = [`SELECT ${names} FROM ${sqlName(keys.newRows)}`];
  if (rewritten.length > 0) {
    const tasks = rewritten.map((at) => found.tasks[at]!);
    const scan = await scanSql(
      { schema, where: undefined, tasks },
      { store: env.store, taskColumn: "__firn_file", positionColumn: "__firn_pos" },
    );
    const places = rewritten.map((at, file) => `(${at}, ${file})`).join(", ");
    parts.push(
      `SELECT ${names} FROM (${scan}) AS s ANTI JOIN (
         SELECT p.file_at, h.pos FROM ${sqlName(keys.hits)} AS h JOIN (VALUES ${places}) AS p(hit_at, file_at) ON p.hit_at = h.file_at
       ) AS g ON g.file_at = s.__firn_file AND g.pos = s.__firn_pos`,
    );
  }
  return stageRows(connection, {
    env,
    table,
    relationSql: parts.join(" UNION ALL "),
    evaluateAgain: rewritten.length === 0,
    ...(options.sort === undefined ? {} : { sort: options.sort }),
    ...(options.rowGroupRows === undefined ? {} : { rowGroupRows: options.rowGroupRows }),
  });
}

/** Position deletes of the marked files; those that their partitions have already are taken over into the new ones. */
async function stageMarks(
  connection: KernelConnection,
  { env, table }: StageUpsertOptions,
  keys: KeyTable,
  found: FoundRows,
  marked: readonly number[],
  everything: readonly ScanTask[],
): Promise<{ addedDeletes: DataFile[]; absorbed: LiveFile[] }> {
  if (marked.length === 0) return { addedDeletes: [], absorbed: [] };
  const tasks = marked.map((at) => found.tasks[at]!);
  const { absorbed, users } = absorbableDeletes(tasks, everything);
  const places = marked.map((at, file) => `(${at}, ${file})`).join(", ");
  const parts = [
    `SELECT p.file_at, h.pos FROM ${sqlName(keys.hits)} AS h JOIN (VALUES ${places}) AS p(hit_at, file_at) ON p.hit_at = h.file_at`,
  ];
  const dataFiles = [...new Set([...tasks.map((task) => task.file), ...users.map((task) => task.file)])];
  if (absorbed.length > 0) {
    const absorbedSet = new Set(absorbed);
    const gone = dataFiles.map((file): ScanTask => {
      const task = users.find((user) => user.file === file);
      return { file, deletes: (task?.deletes ?? []).filter((deletes) => absorbedSet.has(deletes)) };
    });
    const schema = planFiles(table.metadata, undefined, { data: [], deletes: [] }).schema;
    const scan = await scanSql(
      { schema, where: undefined, tasks: gone },
      { store: env.store, columns: [], taskColumn: "file_at", positionColumn: "pos", rows: "deleted" },
    );
    parts.push(`SELECT file_at, pos FROM (${scan})`);
  }
  const addedDeletes = await stagePositionDeletes(connection, {
    env,
    table,
    dataFiles,
    relationSql: parts.join(" UNION "),
  });
  return { addedDeletes, absorbed };
}
