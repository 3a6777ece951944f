import { sqlName, sqlString, sqlStringList } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import type { LiveFile } from "../manifest/data-file.ts";
import { columnByName, type Schema, type StructField } from "../metadata/schema.ts";
import { duckType } from "../parquet/duck-type.ts";
import { normaliseLocation } from "../store/location.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { DELETE_FILE_PATH_ID, DELETE_POS_ID } from "./delete-index.ts";
import { predicateColumns } from "./predicate.ts";
import { predicateSql } from "./predicate-sql.ts";
import type { ScanPlan, ScanTask } from "./scan-plan.ts";

export interface ScanSqlOptions {
  readonly store: Pick<ObjectStore, "localPath">;
  /** Columns in this order; all of the schema when absent. */
  readonly columns?: readonly string[];
  /**
   * `live` (default): the rows that the delete files leave. `deleted`: only the rows that the tasks' delete files take,
   * without those that `deletesBefore` took already.
   */
  readonly rows?: "live" | "deleted";
  /** Name of an INTEGER column with the index of the row's task in the plan. */
  readonly taskColumn?: string;
  /** Name of a BIGINT column with the row's position in its file, deleted rows counted. */
  readonly positionColumn?: string;
}

/**
 * A SELECT over the planned files: columns found by field id (renamed ones under their new name, ones that a file
 * lacks as null), rows that match `where`, positions of delete files left out. Each delete file is read once.
 *
 * Objects are fetched to this machine first where the store is not on it. The SELECT stays valid as long as the
 * local files stay.
 */
export async function scanSql(
  plan: Pick<ScanPlan, "schema" | "where" | "tasks">,
  options: ScanSqlOptions,
): Promise<string> {
  const columns = (options.columns ?? plan.schema.fields.map((field) => field.name)).map((name) =>
    requireColumn(plan.schema, name),
  );
  if (plan.tasks.length === 0) return emptySelect(columns, options);
  const indexed = plan.tasks.map((task, index) => ({ task, index }));
  // A file without delete files has no deleted rows.
  const clean = options.rows === "deleted" ? [] : indexed.filter(({ task }) => task.deletes.length === 0);
  const dirty = indexed.filter(({ task }) => task.deletes.length > 0);
  const parts: string[] = [];
  if (clean.length > 0) parts.push(await selectFiles(plan, columns, clean, options));
  if (dirty.length > 0) parts.push(await selectFiles(plan, columns, dirty, options));
  return parts.length === 0 ? emptySelect(columns, options) : parts.join("\nUNION ALL\n");
}

interface IndexedTask {
  readonly task: ScanTask;
  readonly index: number;
}

async function selectFiles(
  plan: Pick<ScanPlan, "schema" | "where">,
  columns: readonly StructField[],
  tasks: readonly IndexedTask[],
  options: ScanSqlOptions,
): Promise<string> {
  const { store, taskColumn, positionColumn } = options;
  const paths = await Promise.all(
    tasks.map(({ task: { file } }) => store.localPath(file.filePath, file.fileSizeBytes)),
  );
  const selected = columns.map((column) => `${idName(column.id)} AS ${sqlName(column.name)}`);
  if (taskColumn !== undefined) selected.push(`${taskIndexSql(tasks)} AS ${sqlName(taskColumn)}`);
  if (positionColumn !== undefined) selected.push(`file_row_number AS ${sqlName(positionColumn)}`);
  if (selected.length === 0) selected.push("1 AS one");
  const filtering = [...predicateColumns(plan.where ?? { op: "and", of: [] })].map((name) =>
    requireColumn(plan.schema, name),
  );
  const read = readParquetSql(paths, new Set([...columns, ...filtering]));
  const joins = [
    await deletedJoin(options.rows === "deleted" ? "SEMI" : "ANTI", "gone", tasks, (task) => task.deletes, store),
  ];
  if (options.rows === "deleted") {
    joins.push(await deletedJoin("ANTI", "before", tasks, (task) => task.deletesBefore ?? [], store));
  }
  const condition = plan.where === undefined ? "" : ` WHERE ${predicateSql(plan.where, plan.schema, idName)}`;
  return `SELECT ${selected.join(", ")} FROM ${read} AS r${joins.join("")}${condition}`;
}

/** Columns stand under their field id, so that no name of a table meets the names of DuckDB's virtual columns. */
const idName = (fieldId: number): string => `c${fieldId}`;

function readParquetSql(paths: readonly string[], columns: Iterable<StructField>): string {
  const fields = Array.from(
    columns,
    (column) =>
      `${column.id}: {name: '${idName(column.id)}', type: ${sqlString(duckType(column.type))}, default_value: NULL}`,
  );
  // Without a column to read DuckDB would look for the names in the file.
  const schema = fields.length === 0 ? "" : `, schema = MAP {${fields.join(", ")}}`;
  return `read_parquet(${sqlStringList(paths)}${schema}, hive_partitioning = false)`;
}

/** The index in the plan; file_index counts within this SELECT's own list. */
function taskIndexSql(tasks: readonly IndexedTask[]): string {
  const indexes = tasks.map(({ index }) => index);
  const first = indexes[0]!;
  const consecutive = indexes.every((index, at) => index === first + at);
  if (consecutive) return `(file_index + ${first})::INTEGER`;
  return `([${indexes.join(", ")}])[(file_index + 1)::BIGINT]::INTEGER`;
}

/** Keeps or drops the rows of delete files, by what DuckDB knows of each row without reading a column. */
async function deletedJoin(
  kind: "ANTI" | "SEMI",
  alias: string,
  tasks: readonly IndexedTask[],
  deletesOf: (task: ScanTask) => readonly LiveFile[],
  store: ScanSqlOptions["store"],
): Promise<string> {
  const deletes = [...new Set(tasks.flatMap(({ task }) => deletesOf(task)))];
  if (deletes.length === 0) return "";
  const paths = await Promise.all(deletes.map((file) => store.localPath(file.filePath, file.fileSizeBytes)));
  const files = tasks.map(({ task }, at) => `(${sqlString(normaliseLocation(task.file.filePath))}, ${at}::UBIGINT)`);
  return ` ${kind} JOIN (
    SELECT f.file_at, d.pos FROM (SELECT ${normalisedSql("c1")} AS location, c2 AS pos FROM ${readDeletesSql(paths)}) AS d
    JOIN (VALUES ${files.join(", ")}) AS f(location, file_at) ON f.location = d.location) AS ${alias}
    ON ${alias}.file_at = r.file_index AND ${alias}.pos = r.file_row_number`;
}

function readDeletesSql(paths: readonly string[]): string {
  return `read_parquet(${sqlStringList(paths)}, schema = MAP {
    ${DELETE_FILE_PATH_ID}: {name: 'c1', type: 'VARCHAR', default_value: NULL},
    ${DELETE_POS_ID}: {name: 'c2', type: 'BIGINT', default_value: NULL}}, hive_partitioning = false)`;
}

/** `normaliseLocation` in SQL. */
function normalisedSql(location: string): string {
  const path = `regexp_replace(regexp_replace(${location}, '^(file:)?/+(localhost/+)?', '/'), '/+', '/', 'g')`;
  return `CASE WHEN starts_with(${location}, 'file:///') AND NOT contains(substr(${location}, 9), '//') THEN ${location}
    WHEN ${location} LIKE 's3a://%' OR ${location} LIKE 's3n://%' THEN 's3' || substr(${location}, 4)
    WHEN ${location} LIKE 'file:%' OR ${location} LIKE '/%' THEN 'file://' || ${path}
    ELSE ${location} END`;
}

function emptySelect(columns: readonly StructField[], { taskColumn, positionColumn }: ScanSqlOptions): string {
  const selected = columns.map((column) => `NULL::${duckType(column.type)} AS ${sqlName(column.name)}`);
  if (taskColumn !== undefined) selected.push(`NULL::INTEGER AS ${sqlName(taskColumn)}`);
  if (positionColumn !== undefined) selected.push(`NULL::BIGINT AS ${sqlName(positionColumn)}`);
  return `SELECT ${selected.length === 0 ? "1 AS one" : selected.join(", ")} WHERE false`;
}

function requireColumn(schema: Schema, name: string): StructField {
  const column = columnByName(schema, name);
  if (column === undefined) throw new LakeError("invalid", `no column ${name}`, { context: { column: name } });
  return column;
}
