import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import { LakeError } from "@firn/lake";
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from "./sql-database.ts";

/** Another process may hold the file for as long as one of its transactions takes. */
const BUSY_TIMEOUT_MS = 5_000;

/** Opens or makes the SQLite file. Calls are synchronous inside and take a fraction of a millisecond; writes one fsync. */
export function openSqliteSql(path: string): SqlDatabase {
  mkdirSync(dirname(path), { recursive: true });
  const db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  const session = sqliteSession(db);
  const next = oneAtATime();
  return {
    description: path,
    rows: (statement, values) => next(() => session.rows(statement, values)),
    transaction: (work) => next(() => inTransaction(db, () => work(session))),
    close: () => next(async () => void db.close()),
  };
}

/** There is one connection: what others ask must not fall into a transaction that is under way. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>) => {
    const own = tail.then(work);
    tail = own.catch(() => undefined);
    return own;
  };
}

function sqliteSession(db: Database.Database): SqlSession {
  const statements = new Map<string, Database.Statement>();
  const prepared = (statement: string): Database.Statement => {
    const known = statements.get(statement) ?? db.prepare(statement.replace(/\$(\d)/g, "?$1"));
    statements.set(statement, known);
    return known;
  };
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw databaseError(cause);
    }
  };
  return {
    rows: async (statement, values) => guarded(() => prepared(statement).all(...values) as SqlRow[]),
    run: async (statement, values) => guarded(() => prepared(statement).run(...(values as SqlValue[])).changes),
    // BEGIN IMMEDIATE keeps every other writer out.
    lock: async () => {},
  };
}

async function inTransaction<T>(db: Database.Database, work: () => Promise<T>): Promise<T> {
  try {
    db.exec("BEGIN IMMEDIATE");
  } catch (cause) {
    throw databaseError(cause);
  }
  let result: T;
  try {
    result = await work();
  } catch (error) {
    rollBack(db);
    throw error;
  }
  try {
    db.exec("COMMIT");
  } catch (cause) {
    // A transaction that is still open has certainly not been committed.
    const open = db.inTransaction;
    rollBack(db);
    if (open) throw databaseError(cause);
    throw new LakeError("unknown_outcome", "The catalog's database did not answer the commit", { cause });
  }
  return result;
}

function rollBack(db: Database.Database): void {
  try {
    if (db.inTransaction) db.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back by itself, as after a full disk.
  }
}

/** A locked, full or damaged file; anything else is a mistake of ours and stays what it is. */
function databaseError(cause: unknown): unknown {
  const { code } = cause as { code?: unknown };
  if (typeof code !== "string" || !code.startsWith("SQLITE_")) return cause;
  return new LakeError("unavailable", "The catalog's database does not answer", { cause, context: { code } });
}
