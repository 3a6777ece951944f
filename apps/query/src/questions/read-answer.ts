import { columnValues, firstRows, type AnswerTable, type QuestionPlan } from "@firn/core";
import {
  deleteFilesOf,
  scanSql,
  type KernelConnection,
  type LakeEnvironment,
  type Literal,
  type LiveFile,
  type Predicate,
  type ScanPlan,
  type ScanTask,
} from "@firn/lake";
import { columnNames, renameColumns, scanColumns } from "../tables/column-names.ts";
import { afterSql, type Cursor } from "./cursor.ts";
import { planPredicate } from "./plan-predicate.ts";
import { isComplete, nextRound, readOrder } from "./read-order.ts";

/** Rows of one page, whether there are more, and the tasks that were read for it. */
export interface ReadAnswer {
  readonly table: AnswerTable;
  readonly hasMore: boolean;
  readonly tasks: readonly ScanTask[];
}

/** Rows that the scan has to look at: those of the question, from the cursor on where the order allows to say so. */
export function scanPredicate(plan: QuestionPlan, cursor: Cursor | undefined): Predicate {
  const first = plan.key?.columns[0];
  const [after] = cursor?.key ?? [];
  const where = planPredicate(plan);
  if (first === undefined || after === undefined || plan.reach?.until !== "limit") return where;
  return {
    op: "and",
    of: [where, { op: first.direction === "asc" ? "gte" : "lte", column: first.name, value: after }],
  };
}

/** Runs the SQL of a question over its files, over no more of them than its reach needs. */
export async function readAnswer(
  connection: KernelConnection,
  env: LakeEnvironment,
  plan: QuestionPlan,
  scan: ScanPlan,
  cursor: Cursor | undefined,
): Promise<ReadAnswer> {
  const { reach } = plan;
  if (reach === undefined) return readTasks(connection, env, plan, scan, scan.tasks, cursor);
  const column = columnNames(plan.table, scan.schema).nameOf(reach.column) ?? reach.column;
  const order = readOrder(scan.tasks, scan.schema, { ...reach, column });
  const enough = reach.until === "limit" ? plan.limit + 1 : reach.until.distinct;
  for (let done = nextRound(0, order.tasks.length); ; done = nextRound(done, order.tasks.length)) {
    const answer = await readTasks(connection, env, plan, scan, order.tasks.slice(0, done), cursor);
    if (done === order.tasks.length) return answer;
    const found = columnValues(answer.fetched, reach.column) as Literal[];
    // The newest periods are read downwards, and answered upwards.
    const wanted = reach.until === "limit" ? found : found.toReversed();
    if (isComplete(reach, wanted, enough, order.reachOf(done))) return answer;
  }
}

async function readTasks(
  connection: KernelConnection,
  env: LakeEnvironment,
  plan: QuestionPlan,
  scan: ScanPlan,
  tasks: readonly ScanTask[],
  cursor: Cursor | undefined,
): Promise<ReadAnswer & { readonly fetched: AnswerTable }> {
  const names = columnNames(plan.table, scan.schema);
  const scanned = await scanSql({ ...scan, tasks }, { columns: scanColumns(plan.reads, names), store: env.store });
  const relation = renameColumns(scanned, plan.table, plan.reads, names);
  const after = cursor === undefined ? "TRUE" : afterSql(plan, cursor.key);
  const fetched = await fetchTable(connection, plan, plan.sql(relation, { after, limit: plan.limit + 1 }));
  return { table: firstRows(fetched, plan.limit), hasMore: fetched.rowCount > plan.limit, tasks, fetched };
}

async function fetchTable(connection: KernelConnection, plan: QuestionPlan, sql: string): Promise<AnswerTable> {
  const { rowCount, values } = await connection.columns(sql);
  return { columns: plan.columns, rowCount, values: rowCount === 0 ? plan.columns.map(() => []) : values };
}

/** Data and delete files of the tasks, each once. */
export function filesOf(tasks: readonly ScanTask[]): LiveFile[] {
  const files = new Map<string, LiveFile>();
  for (const file of [...tasks.map((task) => task.file), ...deleteFilesOf(tasks)]) files.set(file.filePath, file);
  return [...files.values()];
}
