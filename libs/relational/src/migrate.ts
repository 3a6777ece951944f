import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runner } from "node-pg-migrate";

import { isUndefinedTable, type Queryable, RelationalDatabase } from "./relational-database.ts";
import { relationsDown, relationsUp } from "./migrations/001-relations.ts";

interface Migration {
  /** Begins with the time at which it was written, in milliseconds: the order in which they run. */
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

const MIGRATIONS: readonly Migration[] = [{ name: "1763740800000_relations", up: relationsUp, down: relationsDown }];

/** The database was changed by a newer release than this one. */
export class NewerSchema extends Error {
  override readonly name = "NewerSchema";

  constructor(readonly unknown: readonly string[]) {
    super(
      `the database has migrations that this release does not know (${unknown.join(", ")}): run the newer Firn that made ` +
        "them, or restore the database from before its upgrade",
    );
  }
}

const MIGRATIONS_TABLE = "firn_migrations";

export interface MigrateOptions {
  readonly databaseUrl: string;
  /** Name of every migration that ran. */
  log?(message: string): void;
}

/**
 * Brings a database to the newest schema; runs each migration once, all of them in one transaction. Of several
 * processes that come at once the others wait. Answers the names of those that ran.
 * @throws NewerSchema before anything is changed
 * @throws Error of `pg` when the database is away or a migration fails (nothing of it stays)
 */
export async function migrateDatabase({ databaseUrl, log }: MigrateOptions): Promise<readonly string[]> {
  const database = new RelationalDatabase({ databaseUrl, name: "migrate" });
  const unknown = await unknownMigrations(database).finally(() => database.close());
  if (unknown.length > 0) throw new NewerSchema(unknown);
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
  const ran = await ranMigrations(database);
  return MIGRATIONS.map(({ name }) => name).filter((name) => !ran.has(name));
}

/** Names of migrations that the database has had and this release does not know: a newer one made them. */
export async function unknownMigrations(database: Queryable): Promise<readonly string[]> {
  const known = new Set(MIGRATIONS.map(({ name }) => name));
  return [...(await ranMigrations(database))].filter((name) => !known.has(name));
}

async function ranMigrations(database: Queryable): Promise<ReadonlySet<string>> {
  try {
    const { rows } = await database.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`);
    return new Set(rows.map(({ name }) => name));
  } catch (error) {
    if (isUndefinedTable(error)) return new Set<string>();
    throw error;
  }
}
