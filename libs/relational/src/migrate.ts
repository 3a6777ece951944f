import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runner } from "node-pg-migrate";

import { isUndefinedTable, type Queryable } from "./relational-database.ts";
import { relationsDown, relationsUp } from "./migrations/001-relations.ts";

interface Migration {
  /** Begins with the time at which it was written, in milliseconds: the order in which they run. */
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

const MIGRATIONS: readonly Migration[] = [{ name: "1763740800000_relations", up: relationsUp, down: relationsDown }];

const MIGRATIONS_TABLE = "firn_migrations";

export interface MigrateOptions {
  readonly databaseUrl: string;
  /** Name of every migration that ran. */
  log?(message: string): void;
}

/**
 * Brings a database to the newest schema; runs each migration once, all of them in one transaction. Of several
 * processes that come at once the others wait. Answers the names of those that ran.
 * @throws Error of `pg` when the database is away or a migration fails (nothing of it stays)
 */
export async function migrateDatabase({ databaseUrl, log }: MigrateOptions): Promise<readonly string[]> {
  // The library reads migrations from files; in a bundle there are none beside the code.
  const dir = await mkdtemp(join(tmpdir(), "firn-migrations-"));
  try {
    for (const { name, up, down } of MIGRATIONS)
      await writeFile(join(dir, `${name}.sql`), `-- Up Migration\n${up}\n-- Down Migration\n${down}`);
    const ran = await runner({
      databaseUrl,
      dir,
      direction: "up",
      migrationsTable: MIGRATIONS_TABLE,
      advisoryLockMode: "wait",
      log: () => undefined,
    });
    for (const { name } of ran) log?.(name);
    return ran.map(({ name }) => name);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Names of the migrations that the database has not had yet; changes nothing. */
export async function pendingMigrations(database: Queryable): Promise<readonly string[]> {
  const ran = await database
    .query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`)
    .then(({ rows }) => new Set(rows.map(({ name }) => name)))
    .catch((error: unknown) => {
      if (isUndefinedTable(error)) return new Set<string>();
      throw error;
    });
  return MIGRATIONS.map(({ name }) => name).filter((name) => !ran.has(name));
}
