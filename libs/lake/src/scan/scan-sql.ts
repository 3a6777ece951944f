import { sqlName } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import { columnByName, type Schema, type StructField } from "../metadata/schema.ts";
import { duckType } from "../parquet/duck-type.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { deletedRows, hasDeletes } from "./deleted-rows.ts";
import { predicateColumns } from "./predicate.ts";
import { predicateSql } from "./predicate-sql.ts";
import { filesToRead, idName, type FileItem, type FilesToRead } from "./read-files.ts";
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
 * lacks with their default), rows that match `where`, without those that position deletes, deletion vectors and
 * equality deletes take. Each delete file is read once.
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
  const indexed = plan.tasks.map((task, index) => ({ task, index, file: task.file, reading: task.reading }));
  // A file without delete files has no deleted rows.
  const clean = options.rows === "deleted" ? [] : indexed.filter(({ task }) => !hasDeletes(task));
  const dirty = indexed.filter(({ task }) => hasDeletes(task));
  const parts: string[] = [];
  if (clean.length > 0) parts.push(...(await selectFiles(plan, columns, clean, options)));
  if (dirty.length > 0) parts.push(...(await selectFiles(plan, columns, dirty, options)));
  return parts.length === 0 ? emptySelect(columns, options) : parts.join("\nUNION ALL\n");
}

interface IndexedTask extends FileItem {
  readonly task: ScanTask;
  readonly index: number;
}

async function selectFiles(
  plan: Pick<ScanPlan, "schema" | "where">,
  columns: readonly StructField[],
  tasks: readonly IndexedTask[],
  options: ScanSqlOptions,
): Promise<string[]> {
  const filtering = [...predicateColumns(plan.where ?? { op: "and", of: [] })].map((name) =>
    requireColumn(plan.schema, name),
  );
  const compared = new Set(tasks.flatMap(({ task }) => task.equalityDeletes ?? []));
  const keys = [...compared].flatMap((deletes) => deletes.columns);
  // The scan's own columns last: a column that is compared may have been of another type or name since.
  const read = new Map([...keys, ...filtering, ...columns].map((column) => [column.id, column]));
  const groups = await filesToRead(options.store, tasks, [...read.values()]);
  return Promise.all(groups.map((group) => selectGroup(plan, columns, group, options)));
}

async function selectGroup(
  plan: Pick<ScanPlan, "schema" | "where">,
  columns: readonly StructField[],
  { items, relation }: FilesToRead<IndexedTask>,
  options: ScanSqlOptions,
): Promise<string> {
  const { store, taskColumn, positionColumn } = options;
  const selected = columns.map((column) => `r.${idName(column.id)} AS ${sqlName(column.name)}`);
  if (taskColumn !== undefined) selected.push(`${taskIndexSql(items)} AS ${sqlName(taskColumn)}`);
  if (positionColumn !== undefined) selected.push(`r.file_row_number AS ${sqlName(positionColumn)}`);
  if (selected.length === 0) selected.push("1 AS one");
  const deletes = await deletedRows(
    items.map(({ task }) => task),
    store,
    options.rows ?? "live",
  );
  const conditions = [...deletes.conditions];
  if (plan.where !== undefined) conditions.push(predicateSql(plan.where, plan.schema, (id) => `r.${idName(id)}`));
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return `SELECT ${selected.join(", ")} FROM ${relation} AS r${deletes.joins.join("")}${where}`;
}

/** The index in the plan; file_index counts within this SELECT's own list. */
function taskIndexSql(tasks: readonly IndexedTask[]): string {
  const indexes = tasks.map(({ index }) => index);
  const first = indexes[0]!;
  const consecutive = indexes.every((index, at) => index === first + at);
  if (consecutive) return `(r.file_index + ${first})::INTEGER`;
  return `([${indexes.join(", ")}])[(r.file_index + 1)::BIGINT]::INTEGER`;
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
