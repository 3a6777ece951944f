import { mkdirSync } from "node:fs";
import { join } from "node:path";

import Database from "libsql";

export interface DataDirLock {
  release(): void;
}

/**
 * The one right to run on a data directory: an exclusive SQLite transaction, which the operating system ends with the
 * process however it dies. Undefined when another process has it.
 */
export function lockDataDir(dataDir: string): DataDirLock | undefined {
  mkdirSync(dataDir, { recursive: true });
  const database = new Database(join(dataDir, "standalone.lock"));
  try {
    database.exec("PRAGMA busy_timeout = 0");
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  return {
    release() {
      database.exec("ROLLBACK");
      database.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code === "SQLITE_BUSY" || /locked|busy/i.test(message ?? "");
}
