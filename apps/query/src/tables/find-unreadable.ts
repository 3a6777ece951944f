import { deleteFilesOf, scanSql, type KernelConnection, type ObjectStore, type ScanPlan } from "@firn/lake";
import { Problem } from "@firn/service";
import { checkFiles } from "./check-files.ts";
import { tableUnreadable } from "./unreadable.ts";

/**
 * After a scan has failed: which file it was. Every file is read alone, in full for the columns of the question, until
 * one fails too; when none does, the error was another one and is given back.
 */
export async function findUnreadableFile(
  connection: KernelConnection,
  store: Pick<ObjectStore, "localPath">,
  table: string,
  scan: ScanPlan,
  columns: readonly string[],
  error: unknown,
): Promise<unknown> {
  if (error instanceof Problem || isInterrupt(error)) return error;
  for (const task of scan.tasks) {
    for (const file of [task.file, ...deleteFilesOf([task])]) {
      try {
        await checkFiles(store, table, [file]);
      } catch (problem) {
        return problem;
      }
    }
    try {
      const relation = await scanSql({ ...scan, tasks: [task] }, { columns, store });
      await connection.run(`SELECT hash(COLUMNS(*)) FROM (${relation})`);
    } catch (cause) {
      if (isInterrupt(cause)) return error;
      return tableUnreadable(table, task.file.filePath, reasonOf(cause), cause);
    }
  }
  return error;
}

/** The first line of what DuckDB says. */
function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
}

function isInterrupt(error: unknown): boolean {
  return error instanceof Error && error.message.includes("INTERRUPT");
}
