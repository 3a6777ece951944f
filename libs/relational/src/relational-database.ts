import pg from "pg";

/** Dates stay texts (YYYY-MM-DD): a civil date has no zone. Whole numbers beyond int4 become numbers where they are safe. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => {
    if (format !== "binary" && oid === pg.types.builtins.DATE) return (text: string) => text;
    if (format !== "binary" && oid === pg.types.builtins.INT8) return (text: string) => safeNumber(text);
    return pg.types.getTypeParser(oid, format as "text") as (text: string) => unknown;
  },
};

function safeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond the whole numbers of JavaScript`);
  return value;
}

const CONNECTIONS_MAX = 8;
const CONNECT_TIMEOUT_MS = 5_000;

/** Runs statements: a pool, or one client of it within a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<pg.QueryResult<Row>>;
}

/**
 * The PostgreSQL database of the small relations. Connections are made when they are needed; one that breaks while idle
 * is replaced.
 */
export class RelationalDatabase implements Queryable {
  readonly #pool: pg.Pool;

  constructor(options: { readonly databaseUrl: string; readonly name: string }) {
    this.#pool = new pg.Pool({
      connectionString: options.databaseUrl,
      application_name: options.name,
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      types,
    });
    this.#pool.on("error", () => undefined);
  }

  /** @throws Error of `pg`; `isDatabaseAway` tells whether it may pass */
  query<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<pg.QueryResult<Row>> {
    return this.#pool.query<Row>(sql, [...values]);
  }

  /** All of `work` or nothing of it. */
  async transaction<T>(work: (client: Queryable) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query("BEGIN");
      const result = await work({ query: (sql, values = []) => client.query(sql, [...values]) });
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch((failure: Error) => void (broken = failure));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Calls `woken` on each notification of a channel until the answered function is called or the connection breaks. */
  async listen(channel: string, woken: () => void): Promise<() => void> {
    const client = await this.#pool.connect();
    client.on("notification", woken);
    client.on("error", () => undefined);
    await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    return () => {
      client.off("notification", woken);
      client.release(true);
    };
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

const AWAY_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "ETIMEDOUT",
  "EPIPE",
  "EHOSTUNREACH",
  "57P01",
  "57P02",
  "57P03",
  "53300",
  "08000",
  "08001",
  "08003",
  "08004",
  "08006",
]);

/** Whether the database cannot be reached now (connection refused, lost, server stopping, too many clients). */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseAway);
  if (!(error instanceof Error)) return false;
  if ("code" in error && typeof error.code === "string" && AWAY_CODES.has(error.code)) return true;
  return /connection terminated|timeout exceeded when trying to connect|connect.*timeout/i.test(error.message);
}

/** Whether a row of the same unique key is there already. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "23505";
}

/** Whether the statement names a table that is not there. */
export function isUndefinedTable(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "42P01";
}
