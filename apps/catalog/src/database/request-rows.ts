import type { Attempt } from "../requests/attempt.ts";
import type { SqlDatabase, SqlSession } from "./sql-database.ts";

/** What became of a request that carried an idempotency key. */
export interface AppliedRequest {
  readonly fingerprint: string;
  /** The metadata file that it made current, for requests about one table or view. */
  readonly location: string | null;
  /** Missing when the process ended between the change and its answer. */
  readonly answer: { readonly status: number; readonly body: string } | undefined;
}

export const REQUESTS_TABLE = `CREATE TABLE IF NOT EXISTS firn_catalog_requests (
  catalog_name VARCHAR(255) NOT NULL,
  request_key VARCHAR(36) NOT NULL,
  fingerprint VARCHAR(64) NOT NULL,
  applied_at_ms BIGINT NOT NULL,
  metadata_location VARCHAR(1000),
  status INTEGER,
  answer TEXT,
  PRIMARY KEY (catalog_name, request_key)
)`;

const THIS = "catalog_name = $1 AND request_key = $2";

/** Requests of one catalog by their idempotency keys. */
export const requestRows = {
  async find(sql: Pick<SqlSession, "rows">, catalog: string, key: string): Promise<AppliedRequest | undefined> {
    const statement = `SELECT fingerprint, metadata_location, status, answer FROM firn_catalog_requests WHERE ${THIS}`;
    const [row] = await sql.rows(statement, [catalog, key]);
    if (row === undefined) return undefined;
    const status = row["status"] ?? null;
    const location = row["metadata_location"] ?? null;
    return {
      fingerprint: String(row["fingerprint"]),
      location: location === null ? null : String(location),
      answer: status === null ? undefined : { status: Number(status), body: String(row["answer"] ?? "") },
    };
  },

  /** Belongs into the transaction of the change. False: the key is there. */
  async add(
    sql: SqlSession,
    catalog: string,
    { key, fingerprint }: Attempt,
    location: string | null,
    nowMs: number,
  ): Promise<boolean> {
    const statement = `INSERT INTO firn_catalog_requests
      (catalog_name, request_key, fingerprint, applied_at_ms, metadata_location)
      VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`;
    return (await sql.run(statement, [catalog, key, fingerprint, nowMs, location])) === 1;
  },

  /** Keeps the answer; a request that changed nothing, a refusal, gets its row here. */
  async answer(
    sql: SqlDatabase,
    catalog: string,
    { key, fingerprint }: Attempt,
    answer: { readonly status: number; readonly body: string },
    nowMs: number,
  ): Promise<void> {
    // A refusal must not take the place of what another process has applied meanwhile.
    const onConflict =
      answer.status >= 400
        ? "ON CONFLICT DO NOTHING"
        : `ON CONFLICT (catalog_name, request_key) DO UPDATE SET status = excluded.status, answer = excluded.answer
           WHERE firn_catalog_requests.fingerprint = excluded.fingerprint AND firn_catalog_requests.status IS NULL`;
    const statement = `INSERT INTO firn_catalog_requests
      (catalog_name, request_key, fingerprint, applied_at_ms, status, answer)
      VALUES ($1, $2, $3, $4, $5, $6) ${onConflict}`;
    const values = [catalog, key, fingerprint, nowMs, answer.status, answer.body];
    await sql.transaction((session) => session.run(statement, values));
  },

  async forget(sql: SqlDatabase, catalog: string, beforeMs: number): Promise<void> {
    const statement = "DELETE FROM firn_catalog_requests WHERE catalog_name = $1 AND applied_at_ms < $2";
    await sql.transaction((session) => session.run(statement, [catalog, beforeMs]));
  },
};
