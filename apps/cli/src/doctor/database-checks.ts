import { pendingMigrations, RelationalDatabase, unknownMigrations } from "@firn/relational";

import { check, Finding, type Check } from "./check.ts";

/** PostgreSQL with the relations of the market lake: reach, and whether its schema is the newest. */
export async function checkDatabase(databaseUrl: string): Promise<readonly Check[]> {
  const database = new RelationalDatabase({ databaseUrl, name: "firn-doctor" });
  try {
    const reach = await check("postgres", "Start PostgreSQL, or correct DATABASE_URL", async () => {
      const { rows } = await database.query<{ server_version: string }>("SHOW server_version");
      return `PostgreSQL ${rows[0]?.server_version ?? ""} answers`;
    });
    if (!reach.ok) return [reach];
    const migrations = await check("postgres-migrations", "Start the market service once, which migrates", async () => {
      const unknown = await unknownMigrations(database);
      if (unknown.length > 0) throw new Finding(`made by a newer Firn: ${unknown.join(", ")}; run that one`);
      const pending = await pendingMigrations(database);
      if (pending.length > 0) throw new Finding(`missing: ${pending.join(", ")}`);
      return "the schema is the newest";
    });
    return [reach, migrations];
  } finally {
    await database.close();
  }
}
