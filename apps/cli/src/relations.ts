import { isDatabaseAway, RelationalDatabase } from "@firn/relational";

import { CommandError, EXIT } from "./exit-code.ts";
import { requireAddress, type Lake } from "./lake-location.ts";

/**
 * Runs `work` with the lake's relations (PostgreSQL) and closes them.
 * @throws CommandError (broken) when the database is not known or away
 */
export async function withRelations<T>(lake: Lake, work: (database: RelationalDatabase) => Promise<T>): Promise<T> {
  const databaseUrl = requireAddress(lake, "database");
  const database = new RelationalDatabase({ databaseUrl, name: "firn" });
  try {
    return await work(database);
  } catch (error) {
    if (!isDatabaseAway(error)) throw error;
    const { host } = new URL(databaseUrl);
    throw new CommandError(EXIT.broken, `the database at ${host} does not answer`, { cause: error });
  } finally {
    await database.close();
  }
}
