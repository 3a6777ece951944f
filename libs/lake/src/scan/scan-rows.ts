import type { KernelConnection, KernelRow } from "../kernel/duck.ts";
import { LakeError } from "../lake-error.ts";
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
    throw readFailure(error, plan);
  }
}

/**
 * What a failure of the kernel while it reads files of a scan means for the lake. Errors of the lake, and those that
 * blame the asker (memory, an interrupt), stay as they are.
 */
export function readFailure(error: unknown, { tasks }: Pick<ScanPlan, "tasks">): unknown {
  if (!(error instanceof Error) || error instanceof LakeError || !BROKEN_FILE.test(error.message)) return error;
  const name = (location: string): string => location.slice(location.lastIndexOf("/") + 1);
  const files = [...tasks.map((task) => task.file), ...deleteFilesOf(tasks)];
  const file = files.find(({ filePath }) => error.message.includes(name(filePath)));
  const only = file ?? (files.length === 1 ? files[0] : undefined);
  const where = only === undefined ? `one of ${files.length} files` : only.filePath;
  const kind = /No files found|Cannot open file/.test(error.message) ? "not_found" : "corrupt";
  const reason = error.message.split("\n")[0]!;
  return new LakeError(kind, `${where} cannot be read: ${reason}`, {
    cause: error,
    context: only === undefined ? {} : { file: only.filePath },
  });
}

/** How DuckDB's messages begin when the bytes of a file are to blame. */
const BROKEN_FILE =
  /^(?:Invalid Input|IO|Conversion|Serialization|INTERNAL|TransactionContext|Not implemented|FATAL|Out of Range|Invalid|Fatal)[ A-Za-z]* ?(?:Error)?:|don't know what type|zstd|ZSTD|snappy|thrift|TProtocol/i;
