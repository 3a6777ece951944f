import { defineSettings, pipelineSettings } from "@firn/service";

/** The environment of the catalog service, beside the common settings. */
export const catalogSettings = defineSettings({
  warehouse: {
    env: "ICEBERG_WAREHOUSE",
    type: "string",
    required: true,
    help: pipelineSettings.warehouse.help,
  },
  catalogName: {
    env: "ICEBERG_CATALOG_NAME",
    type: "string",
    default: "firn",
    help: "Name of this catalog in its database; other SQL catalogs that read the same database use it too.",
  },
  databaseUrl: {
    env: "FIRN_CATALOG_DATABASE_URL",
    type: "url",
    secret: true,
    help: "PostgreSQL database with the catalog's tables, postgres://user:password@host/name; without it SQLite is used.",
  },
  databasePath: {
    env: "FIRN_CATALOG_DB",
    type: "path",
    help: "SQLite file with the catalog's tables; default is catalog.db in FIRN_DATA_DIR.",
  },
  bodyBytesMax: {
    env: "FIRN_CATALOG_BODY_BYTES_MAX",
    type: "bytes",
    default: 32 * 1024 * 1024,
    min: 1024,
    help: "Largest request body that is read.",
  },
  cacheBytesMax: {
    env: "FIRN_CATALOG_CACHE_BYTES_MAX",
    type: "bytes",
    default: 64 * 1024 * 1024,
    min: 0,
    help: "JSON text of current table metadata that is kept in memory.",
  },
});
