import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Module, type DynamicModule } from "@nestjs/common";
import type { FastifyInstance } from "fastify";
import { openStore, parseLakeJson, readMetadata, readViewMetadata, type ObjectStore } from "@firn/lake";
import {
  guardRequests,
  openGuard,
  createLakeMetrics,
  s3SettingsOf,
  type CommonSettings,
  type Logger,
  type Metrics,
  type ServiceDefinition,
} from "@firn/service";
import { catalogSettings } from "./config.ts";
import { s3Config, type CredentialVendor } from "./credentials/credential-vendor.ts";
import { openVendor } from "./credentials/open-vendor.ts";
import type { CatalogDatabase, EntryKind } from "./database/catalog-database.ts";
import { openPostgresSql } from "./database/postgres-sql.ts";
import { openCatalogDatabase } from "./database/sql-catalog-database.ts";
import { openSqliteSql } from "./database/sqlite-sql.ts";
import { EntryStore } from "./entry-store.ts";
import { BrokerLink } from "./events/broker-link.ts";
import { noEvents, publishedEvents, type CommitEvents } from "./events/commit-events.ts";
import { scopesOf } from "./http/access.ts";
import { CLIENT_DEFAULTS, ConfigController } from "./http/config-controller.ts";
import { answerError } from "./http/error-model.ts";
import { NAMESPACES, NamespaceController } from "./http/namespace-controller.ts";
import { reportCounter } from "./http/report-counter.ts";
import { TableAnswers } from "./http/table-answer.ts";
import { ANSWERS, PURGE, REPORTS, TABLE_ENTRIES, TABLES, TableController } from "./http/table-controller.ts";
import { VIEW_ENTRIES, ViewController, VIEWS } from "./http/view-controller.ts";
import { MetadataCache } from "./metadata/metadata-cache.ts";
import { MetadataFiles, type MetadataFilesOptions } from "./metadata/metadata-files.ts";
import type { Located } from "./metadata/stored-metadata.ts";
import { NamespaceCatalog } from "./namespace-catalog.ts";
import { Idempotency } from "./requests/idempotency.ts";
import { replayer } from "./requests/replay.ts";
import { TableCatalog } from "./tables/table-catalog.ts";
import { TablePurge } from "./tables/table-purge.ts";
import { ViewCatalog } from "./views/view-catalog.ts";

type Settings = ReturnType<typeof catalogSettings.parse> & CommonSettings;

/** How long a metadata file in an object store is taken to be there once it was seen. */
const PRESENT_MS = 10_000;

@Module({})
class CatalogModule {}

/** The catalog as a service: a SQL database for pointers, the warehouse for metadata files, Iceberg REST in front. */
export const catalogService: ServiceDefinition<ReturnType<typeof catalogSettings.parse>> = {
  name: "catalog",
  summary: "Iceberg REST catalog of tables and views over a SQL database and a warehouse.",
  port: 8181,
  settings: catalogSettings,
  async setup({ settings, log, metrics, health }) {
    const guard = openGuard({ ...settings, log });
    const s3 = s3SettingsOf(settings);
    const vendor = await openVendor(settings, s3);
    const { warehouse } = settings;
    const observer = createLakeMetrics(metrics);
    const store = await openStore({
      warehouse,
      s3: { ...s3, observer },
      cacheFolder: join(settings.dataDir, "objects", "catalog"),
    });
    const database = await openDatabase(settings, log);
    const link = settings.natsUrl === undefined ? undefined : new BrokerLink(settings.natsUrl, log);
    const events = link === undefined ? noEvents : publishedEvents(() => link.publisher(), log);
    const catalog = assemble({ settings, store, database, vendor, events, log, metrics });
    const idempotency = new Idempotency({ database, log, nowMs: Date.now, replay: catalog.replay });
    health.addCheck("database", async () => {
      await database.listNamespaces("");
      return undefined;
    });
    const { description } = database;
    log.info("catalog opened", { database: description, warehouse: store.root, catalog_name: settings.catalogName });
    return {
      modules: [catalog.module],
      ...(link === undefined ? {} : { stages: [link] }),
      answerError: (reply, error) => {
        const answer = (cause: unknown): void => answerError(reply, cause, log);
        if (!idempotency.follows(reply.request)) return answer(error);
        idempotency.answeredElsewhere(reply.request, reply).then((answered) => answered || answer(error), answer);
      },
      configureHttp: (fastify) => {
        readLakeJson(fastify, settings.bodyBytesMax);
        if (guard !== undefined) guardRequests(fastify, guard, scopesOf);
        idempotency.install(fastify);
      },
      onClose: async () => {
        await catalog.settle();
        vendor.close?.();
        await database.close();
      },
    };
  },
};

interface Parts {
  readonly settings: Settings;
  readonly store: ObjectStore;
  readonly database: CatalogDatabase;
  readonly vendor: CredentialVendor;
  readonly events: CommitEvents;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Everything behind the routes. */
function assemble(parts: Parts) {
  const { settings, store, database, vendor, events, log, metrics } = parts;
  const tables = openKind("table", readMetadata, parts);
  const views = openKind("view", readViewMetadata, parts);
  const planning = { root: store.root, nowMs: Date.now, uuid: randomUUID };
  const answers = new TableAnswers(vendor);
  const module: DynamicModule = {
    module: CatalogModule,
    controllers: [ConfigController, NamespaceController, TableController, ViewController],
    providers: [
      { provide: CLIENT_DEFAULTS, useValue: store.root.startsWith("s3:") ? s3Config(s3SettingsOf(settings)) : {} },
      { provide: NAMESPACES, useValue: new NamespaceCatalog(database, store.root) },
      { provide: TABLES, useValue: new TableCatalog({ ...tables, ...planning, events }) },
      { provide: TABLE_ENTRIES, useValue: tables.entries },
      { provide: PURGE, useValue: new TablePurge(store, tables.files, log) },
      { provide: ANSWERS, useValue: answers },
      { provide: REPORTS, useValue: reportCounter(metrics) },
      { provide: VIEWS, useValue: new ViewCatalog({ ...views, ...planning }) },
      { provide: VIEW_ENTRIES, useValue: views.entries },
    ],
  };
  const settle = async (): Promise<void> => {
    await Promise.all([tables.files.settle(), views.files.settle()]);
  };
  return { module, replay: replayer(tables, views, answers), settle };
}

function openDatabase(settings: Settings, log: Logger): Promise<CatalogDatabase> {
  const { databaseUrl, databasePath, dataDir, catalogName } = settings;
  const sql =
    databaseUrl === undefined
      ? openSqliteSql(databasePath ?? join(dataDir, "catalog.db"))
      : openPostgresSql(databaseUrl, (error) => log.warn("an idle connection to the database ended", { error }));
  return openCatalogDatabase(sql, catalogName, Date.now);
}

/** Metadata files and pointers of tables or of views. */
function openKind<M extends Located>(kind: EntryKind, parse: MetadataFilesOptions<M>["parse"], parts: Parts) {
  const { settings, store, database, log } = parts;
  const cache = new MetadataCache<M>(settings.cacheBytesMax);
  const presentMs = store.root.startsWith("file:") ? 0 : PRESENT_MS;
  const files = new MetadataFiles<M>({ store, cache, parse, log, uuid: randomUUID, presentMs });
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
