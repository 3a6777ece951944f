import type { KernelConnection, KernelRow } from "../kernel/duck.ts";
import { sqlString } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import { isDeletionVector } from "./deletion-vector.ts";
import { deleteFilesOf, type ScanPlan } from "./scan-plan.ts";
import { scanSql, type ScanSqlOptions } from "./scan-sql.ts";

/**
 * Rows of planned files, chunk by chunk: memory does not grow with their number. Leave the loop before the connection
 * is used again.
 * @throws LakeError `corrupt` or `not_found` naming the file that cannot be read
 */
export async function* scanRows<T extends object = KernelRow>(
  connection: KernelConnection,
  plan: Pick<ScanPlan, "schema" | "where" | "tasks">,
  options: ScanSqlOptions,
): AsyncGenerator<T> {
  const sql = await scanSql(plan, options);
  try {
    for await (const chunk of connection.chunks(sql)) {
      const columns = chunk.columnNames.map((_, index) => chunk.column(index));
      for (let row = 0; row < chunk.rowCount; row++) {
        yield Object.fromEntries(chunk.columnNames.map((name, index) => [name, columns[index]![row]])) as T;
      }
    }
  } catch (error) {
    throw await readFailure(connection, error, plan, options);
  }
}

/**
 * What a failure of the kernel while it reads files of a scan means for the lake: `corrupt`, naming the file, which is
 * looked for by reading each one alone. Errors of the lake, and those that blame no file (memory, an interrupt), stay
 * as they are.
 */
export async function readFailure(
  connection: KernelConnection,
  error: unknown,
  plan: Pick<ScanPlan, "schema" | "tasks">,
  options: ScanSqlOptions,
): Promise<unknown> {
  if (!(error instanceof Error) || error instanceof LakeError || !BROKEN_FILE.test(error.message)) return error;
  for (const task of plan.tasks) {
    const alone = { file: task.file, deletes: [], ...(task.reading === undefined ? {} : { reading: task.reading }) };
    const { store, columns } = options;
    const scan = { schema: plan.schema, where: undefined, tasks: [alone] };
    const sql = await scanSql(scan, { store, ...(columns === undefined ? {} : { columns }) });
    const cause = await failureOf(connection, sql);
    if (cause !== undefined) return corrupt(task.file.filePath, cause);
  }
  for (const file of deleteFilesOf(plan.tasks)) {
    if (isDeletionVector(file)) continue;
    const path = await options.store.localPath(file.filePath, file.fileSizeBytes);
    const cause = await failureOf(connection, `SELECT * FROM read_parquet(${sqlString(path)})`);
    if (cause !== undefined) return corrupt(file.filePath, cause);
  }
  return error;
}

async function failureOf(connection: KernelConnection, sql: string): Promise<Error | undefined> {
  try {
    await connection.run(`SELECT max(hash(COLUMNS(*))) FROM (${sql})`);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function corrupt(file: string, cause: Error): LakeError {
  return new LakeError("corrupt", `${file} cannot be read: ${cause.message.split("\n")[0]}`, {
    cause,
    context: { file },
  });
}

/** How messages of the kernel begin when no file is to blame. */
const BROKEN_FILE = /^(?!Out of Memory|INTERRUPT|Parser|Binder|Catalog)/;
