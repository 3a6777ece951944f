import { migrateDatabase, RelationalDatabase } from "@firn/relational";

import { startPostgres, type PostgresServer } from "./postgres-server.ts";
import { tempFolder } from "./temp-folder.ts";

export interface MigratedDatabase {
  readonly server: PostgresServer;
  readonly database: RelationalDatabase;
  /** Ends the server and removes its folder. */
  close(): Promise<void>;
}

/** A PostgreSQL of its own with the relations of the market lake, empty. `name` is of its folder. */
export async function startMigratedDatabase(name: string): Promise<MigratedDatabase> {
  const folder = await tempFolder(name);
  const server = await startPostgres({ dir: folder.path });
  const { databaseUrl } = server;
  await migrateDatabase({ databaseUrl });
  const database = new RelationalDatabase({ databaseUrl, name: "test" });
  return {
    server,
    database,
    async close() {
      await database.close();
      await server.stop();
      await folder.remove();
    },
  };
}
