import pg from "pg";
import { LakeError } from "@firn/lake";
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from "./sql-database.ts";

const CONNECTIONS_MAX = 10;
const CONNECT_MS_MAX = 5_000;
const STATEMENT_MS_MAX = 30_000;

/** The server gave up a transaction that others can redo: a deadlock, a lock that was not to be had in time. */
const RETRYABLE_CODES: ReadonlySet<string> = new Set(["40001", "40P01", "55P03", "57014"]);
const TOO_LONG = "22001";

/** A pool of connections to a PostgreSQL server. Nothing is asked of it yet. */
export function openPostgresSql(url: string, onIdleError: (error: Error) => void): SqlDatabase {
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    query_timeout: STATEMENT_MS_MAX + CONNECT_MS_MAX,
    application_name: "firn-catalog",
  });
  // The server ended a connection that nobody used.
  pool.on("error", onIdleError);
  return {
    description: describeUrl(url),
    rows: async (statement, values) => {
      try {
        return (await pool.query<SqlRow>(statement, [...values])).rows;
      } catch (cause) {
        throw postgresError(cause);
      }
    },
    transaction: (work) => inTransaction(pool, work),
    close: () => pool.end(),
  };
}

function describeUrl(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `postgres://${hostname}${port === "" ? "" : `:${port}`}${pathname}`;
}

async function inTransaction<T>(pool: pg.Pool, work: (session: SqlSession) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((cause: unknown) => {
    throw postgresError(cause);
  });
  let broken = false;
  try {
    const session = postgresSession(client);
    await session.run("BEGIN", []);
    try {
      const result = await work(session);
      await commit(client);
      return result;
    } catch (error) {
      // Where even this fails the server rolls back, because the connection goes.
      await client.query("ROLLBACK").catch(() => (broken = true));
      throw error;
    }
  } catch (error) {
    if (error instanceof LakeError && error.kind !== "invalid") broken = true;
    throw error;
  } finally {
    client.release(broken);
  }
}

/** An answer of the server says that nothing was committed; without one nobody knows. */
async function commit(client: pg.PoolClient): Promise<void> {
  let command: string;
  try {
    ({ command } = await client.query("COMMIT"));
  } catch (cause) {
    if (cause instanceof pg.DatabaseError && !isConnectionCode(cause.code)) throw postgresError(cause);
    throw new LakeError("unknown_outcome", "The catalog's database did not answer the commit", { cause });
  }
  if (command !== "COMMIT") throw new LakeError("unavailable", "The catalog's database rolled the commit back");
}

function postgresSession(client: pg.PoolClient): SqlSession {
  const query = async (statement: string, values: readonly SqlValue[]): Promise<pg.QueryResult<SqlRow>> => {
    try {
      return await client.query<SqlRow>(statement, [...values]);
    } catch (cause) {
      throw postgresError(cause);
    }
  };
  return {
    rows: async (statement, values) => (await query(statement, values)).rows,
    run: async (statement, values) => (await query(statement, values)).rowCount ?? 0,
    lock: async (name, mode) => {
      const suffix = mode === "shared" ? "_shared" : "";
      await query(`SELECT pg_advisory_xact_lock${suffix}(hashtextextended($1, 0))`, [name]);
    },
  };
}

/** Failures of the connection or the server's state are `unavailable`; a wrong statement stays what it is. */
function postgresError(cause: unknown): unknown {
  const code = (cause as { code?: unknown }).code;
  if (cause instanceof pg.DatabaseError) {
    if (code === TOO_LONG) {
      return new LakeError("invalid", "a name, property or location is too long for the catalog's database", { cause });
    }
    if (!isConnectionCode(cause.code) && !RETRYABLE_CODES.has(cause.code ?? "")) return cause;
  }
  return new LakeError("unavailable", "The catalog's database does not answer", {
    cause,
    context: { code: typeof code === "string" ? code : undefined },
  });
}

/** Classes 08 connection, 28 login, 53 resources, 57P shutdown (PostgreSQL manual, appendix A), 3D000 no such database. */
function isConnectionCode(code: string | undefined): boolean {
  return code !== undefined && (/^(08|28|53|57P)/.test(code) || code === "3D000");
}
