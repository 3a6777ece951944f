import { defineSettings, guardSettings, lakeSettings, pipelineSettings, storeSettings } from "@firn/service";

/** The environment of the catalog service, beside the common settings. */
export const catalogSettings = defineSettings({
  warehouse: {
    env: "ICEBERG_WAREHOUSE",
    type: "string",
    required: true,
    check: lakeSettings.warehouse.check,
    help: lakeSettings.warehouse.help,
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
  natsUrl: {
    env: "NATS_URL",
    type: "url",
    // Without it commits are announced to nobody.
    help: pipelineSettings.natsUrl.help,
  },
  vending: {
    env: "FIRN_CATALOG_VENDING",
    type: "string",
    default: "off",
    choices: ["off", "static", "sts"],
    help: "Credentials for clients that ask for them: none, the lake's own keys, or sessions of a role for one table.",
  },
  vendingSeconds: {
    env: "FIRN_CATALOG_VENDING_SECONDS",
    type: "int",
    default: 3600,
    min: 900,
    max: 43_200,
    help: "Life of vended sessions.",
  },
  stsRoleArn: {
    env: "FIRN_CATALOG_STS_ROLE_ARN",
    type: "string",
    help: "Role that vended sessions take on; needed by FIRN_CATALOG_VENDING=sts.",
  },
  stsEndpoint: {
    env: "FIRN_CATALOG_STS_ENDPOINT",
    type: "url",
    help: "Server that makes the sessions; default is S3_ENDPOINT, without it AWS.",
  },
  ...storeSettings,
  ...guardSettings,
});
