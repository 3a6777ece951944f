/**
 * The little of SQL that the catalog needs, the same for every database below it.
 *
 * - Statements are written for SQLite and PostgreSQL alike, values as `$1`, `$2` ….
 * - `transaction` is atomic and durable when it resolves; what its work throws rolls it back and is thrown on.
 * - Transactions see what finished ones have written. A row that another open transaction has changed is waited for.
 * - Failures are LakeError: `unavailable` (nothing was changed), `unknown_outcome` (the answer to COMMIT is lost),
 *   `invalid` (a text longer than its column).
 */
export interface SqlDatabase {
  /** What it is, for logs: a file, or a host and database name. Never holds a password. */
  readonly description: string;
  rows(statement: string, values: readonly SqlValue[]): Promise<SqlRow[]>;
  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface SqlSession {
  rows(statement: string, values: readonly SqlValue[]): Promise<SqlRow[]>;
  /** How many rows were changed. */
  run(statement: string, values: readonly SqlValue[]): Promise<number>;
  /** Until the end of the transaction, `exclusive` keeps out all other holders of the name, `shared` exclusive ones. */
  lock(name: string, mode: "shared" | "exclusive"): Promise<void>;
}

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;
