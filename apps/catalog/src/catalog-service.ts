import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Module, type DynamicModule } from "@nestjs/common";
import type { FastifyInstance } from "fastify";
import { openFileStore, parseLakeJson } from "@firn/lake";
import type { ServiceDefinition } from "@firn/service";
import { catalogSettings } from "./config.ts";
import { openSqliteDatabase } from "./database/sqlite-database.ts";
import { ConfigController } from "./http/config-controller.ts";
import { answerError } from "./http/error-model.ts";
import { NAMESPACES, NamespaceController } from "./http/namespace-controller.ts";
import { PURGE, TABLES, TableController } from "./http/table-controller.ts";
import { NamespaceCatalog } from "./namespace-catalog.ts";
import { MetadataCache } from "./tables/metadata-cache.ts";
import { MetadataFiles } from "./tables/metadata-files.ts";
import { TableCatalog } from "./tables/table-catalog.ts";
import { TablePurge } from "./tables/table-purge.ts";

type Settings = ReturnType<typeof catalogSettings.parse>;

@Module({})
class CatalogModule {}

/** The catalog as a service: SQLite for pointers, the warehouse for metadata files, Iceberg REST in front. */
export const catalogService: ServiceDefinition<Settings> = {
  name: "catalog",
  summary: "Iceberg REST catalog over an embedded SQL database and a warehouse folder.",
  port: 8181,
  settings: catalogSettings,
  async setup({ settings, log, health }) {
    const store = await openFileStore({ root: settings.warehouse });
    const path = settings.databasePath ?? join(settings.dataDir, "catalog.db");
    const database = openSqliteDatabase(path, settings.catalogName);
    const cache = new MetadataCache(settings.cacheBytesMax);
    const files = new MetadataFiles({ store, cache, log, uuid: randomUUID });
    const tables = new TableCatalog({ database, store, files, nowMs: Date.now, uuid: randomUUID });
    health.addCheck("database", async () => {
      await database.listNamespaces("");
      return undefined;
    });
    log.info("catalog opened", { database: path, warehouse: store.root, catalog_name: settings.catalogName });
    const module: DynamicModule = {
      module: CatalogModule,
      controllers: [ConfigController, NamespaceController, TableController],
      providers: [
        { provide: NAMESPACES, useValue: new NamespaceCatalog(database, store.root) },
        { provide: TABLES, useValue: tables },
        { provide: PURGE, useValue: new TablePurge(store, files, log) },
      ],
    };
    return {
      modules: [module],
      answerError: (reply, error) => answerError(reply, error, log),
      configureHttp: (fastify) => readLakeJson(fastify, settings.bodyBytesMax),
      onClose: async () => {
        await files.settle();
        await database.close();
      },
    };
  },
};

/** Bodies are JSON with 64-bit integers, and larger than elsewhere: one commit may carry many snapshots. */
function readLakeJson(fastify: FastifyInstance, bodyLimit: number): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser("application/json", { parseAs: "string", bodyLimit }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : parseLakeJson(body as string));
    } catch (error) {
      done(error as Error);
    }
  });
}
