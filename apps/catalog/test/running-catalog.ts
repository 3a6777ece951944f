import { randomUUID } from "node:crypto";
import { startService, type RunningService } from "@firn/service";
import { startPostgres, tempFolder } from "@firn/testing";
import { catalogService } from "../src/catalog-service.ts";

export interface RunningCatalog {
  readonly url: string;
  /** Absolute path of the warehouse folder. */
  readonly warehouse: string;
  readonly folder: string;
  /** Ends the service and starts it again on the same files. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** The catalog service inside this process, on a free port and an empty folder. */
export async function startCatalog(environment: Readonly<Record<string, string>> = {}): Promise<RunningCatalog> {
  const folder = await tempFolder("catalog");
  const warehouse = `${folder.path}/warehouse`;
  const start = (): Promise<RunningService> =>
    startService(catalogService, {
      FIRN_PORT: "0",
      FIRN_LOG_LEVEL: "silent",
      FIRN_DATA_DIR: folder.path,
      ICEBERG_WAREHOUSE: warehouse,
      ...environment,
    });
  let service = await start();
  return {
    get url() {
      return service.url;
    },
    warehouse,
    folder: folder.path,
    restart: async () => {
      await service.close();
      service = await start();
    },
    close: async () => {
      await service.close();
      await folder.remove();
    },
  };
}

/** Where a catalog keeps its pointers. */
export interface Storage {
  /** Settings of a catalog of its own in this storage. */
  environment(): Readonly<Record<string, string>>;
  /** Ends the server under the catalogs; absent where there is none. */
  outage?(): Promise<{ end(): Promise<void> }>;
  close(): Promise<void>;
}

export const STORAGES: readonly (readonly [name: string, open: () => Promise<Storage>])[] = [
  ["SQLite", async () => ({ environment: () => ({}), close: async () => {} })],
  ["PostgreSQL", openPostgresStorage],
];

/** Catalogs of different names share one database. */
async function openPostgresStorage(): Promise<Storage> {
  const folder = await tempFolder("catalog-postgres");
  const postgres = await startPostgres({ dir: folder.path });
  return {
    environment: () => ({ FIRN_CATALOG_DATABASE_URL: postgres.databaseUrl, ICEBERG_CATALOG_NAME: randomUUID() }),
    outage: async () => {
      await postgres.kill();
      return { end: () => postgres.restart() };
    },
    close: async () => {
      await postgres.stop();
      await folder.remove();
    },
  };
}
