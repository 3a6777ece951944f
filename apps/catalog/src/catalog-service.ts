import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Module, type DynamicModule } from "@nestjs/common";
import type { FastifyInstance } from "fastify";
import { openFileStore, parseLakeJson, readMetadata, readViewMetadata, type ObjectStore } from "@firn/lake";
import type { Logger, ServiceDefinition } from "@firn/service";
import { catalogSettings } from "./config.ts";
import type { CatalogDatabase, EntryKind } from "./database/catalog-database.ts";
import { openPostgresSql } from "./database/postgres-sql.ts";
import { openCatalogDatabase } from "./database/sql-catalog-database.ts";
import { openSqliteSql } from "./database/sqlite-sql.ts";
import { EntryStore } from "./entry-store.ts";
import { ConfigController } from "./http/config-controller.ts";
import { answerError } from "./http/error-model.ts";
import { NAMESPACES, NamespaceController } from "./http/namespace-controller.ts";
import { PURGE, TABLE_ENTRIES, TABLES, TableController } from "./http/table-controller.ts";
import { VIEW_ENTRIES, ViewController, VIEWS } from "./http/view-controller.ts";
import { MetadataCache } from "./metadata/metadata-cache.ts";
import { MetadataFiles, type MetadataFilesOptions } from "./metadata/metadata-files.ts";
import type { Located } from "./metadata/stored-metadata.ts";
import { NamespaceCatalog } from "./namespace-catalog.ts";
import { TableCatalog } from "./tables/table-catalog.ts";
import { TablePurge } from "./tables/table-purge.ts";
import { ViewCatalog } from "./views/view-catalog.ts";

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
    const database = await openDatabase(settings, log);
    const shared = { store, database, log, cacheBytesMax: settings.cacheBytesMax };
    const tables = openKind("table", readMetadata, shared);
    const views = openKind("view", readViewMetadata, shared);
    const planning = { root: store.root, nowMs: Date.now, uuid: randomUUID };
    health.addCheck("database", async () => {
      await database.listNamespaces("");
      return undefined;
    });
    const { description } = database;
    log.info("catalog opened", { database: description, warehouse: store.root, catalog_name: settings.catalogName });
    const module: DynamicModule = {
      module: CatalogModule,
      controllers: [ConfigController, NamespaceController, TableController, ViewController],
      providers: [
        { provide: NAMESPACES, useValue: new NamespaceCatalog(database, store.root) },
        { provide: TABLES, useValue: new TableCatalog({ ...tables, ...planning }) },
        { provide: TABLE_ENTRIES, useValue: tables.entries },
        { provide: PURGE, useValue: new TablePurge(store, tables.files, log) },
        { provide: VIEWS, useValue: new ViewCatalog({ ...views, ...planning }) },
        { provide: VIEW_ENTRIES, useValue: views.entries },
      ],
    };
    return {
      modules: [module],
      answerError: (reply, error) => answerError(reply, error, log),
      configureHttp: (fastify) => readLakeJson(fastify, settings.bodyBytesMax),
      onClose: async () => {
        await Promise.all([tables.files.settle(), views.files.settle()]);
        await database.close();
      },
    };
  },
};

function openDatabase(settings: Settings & { readonly dataDir: string }, log: Logger): Promise<CatalogDatabase> {
  const { databaseUrl, databasePath, dataDir, catalogName } = settings;
  const sql =
    databaseUrl === undefined
      ? openSqliteSql(databasePath ?? join(dataDir, "catalog.db"))
      : openPostgresSql(databaseUrl, (error) => log.warn("an idle connection to the database ended", { error }));
  return openCatalogDatabase(sql, catalogName);
}

interface Shared {
  readonly store: ObjectStore;
  readonly database: CatalogDatabase;
  readonly log: Logger;
  readonly cacheBytesMax: number;
}

/** Metadata files and pointers of tables or of views. */
function openKind<M extends Located>(kind: EntryKind, parse: MetadataFilesOptions<M>["parse"], shared: Shared) {
  const { store, database, log } = shared;
  const cache = new MetadataCache<M>(shared.cacheBytesMax);
  const files = new MetadataFiles<M>({ store, cache, parse, log, uuid: randomUUID });
  return { files, entries: new EntryStore<M>({ kind, database, files, root: store.root, uuid: randomUUID }) };
}

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
