import { isDatabaseAway, RelationalDatabase, type Queryable } from "@firn/relational";
import { Problem } from "@firn/service";

/** PostgreSQL as questions use it: where it is missing or away, every query is a 503. */
export interface Relations extends Queryable {
  /** All of `work` or nothing of it. */
  transaction<T>(work: (client: Queryable) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param databaseUrl undefined where the site has no PostgreSQL */
export function openRelations(databaseUrl: string | undefined): Relations {
  if (databaseUrl === undefined) {
    const absent = () =>
      Promise.reject(new Problem(503, "no_database", "No PostgreSQL is configured: set DATABASE_URL."));
    return { query: absent, transaction: absent, close: () => Promise.resolve() };
  }
  const database = new RelationalDatabase({ databaseUrl, name: "firn query" });
  return {
    query: (sql, values) => database.query<never>(sql, values).catch(rethrow),
    transaction: (work) => database.transaction(work).catch(rethrow),
    close: () => database.close(),
  };
}

/** PostgreSQL's `character_not_in_repertoire`: a text with U+0000. */
const NOT_A_TEXT = "22021";

function rethrow(error: unknown): never {
  if ((error as { code?: unknown }).code === NOT_A_TEXT) {
    throw new Problem(400, "invalid_parameter", "a text holds U+0000, which no name has", { cause: error });
  }
  if (!isDatabaseAway(error)) throw error;
  throw new Problem(503, "database_unavailable", "PostgreSQL cannot be reached.", {
    headers: { "retry-after": "1" },
    cause: error,
  });
}
