import type { Setting } from "./settings.ts";
import { storeSettings } from "./store-settings.ts";

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;
const KNOWN_SCHEMES: ReadonlySet<string> = new Set(["file", "s3", "s3a", "s3n"]);

/** The rule that a warehouse's address breaks, or undefined. */
function explainWarehouse(text: string): string | undefined {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  if (!KNOWN_SCHEMES.has(scheme)) return "must be a folder, file:// or s3://bucket/path";
  return scheme === "file" || /^[^:]+:\/\/[^/]/.test(text) ? undefined : "must name a bucket: s3://bucket/path";
}

/** Where files of tables lie, and how the catalog and S3 know who asks. */
export const lakeAccessSettings = {
  catalogType: {
    env: "ICEBERG_CATALOG_TYPE",
    type: "string",
    default: "rest",
    choices: ["rest"],
    help: "Kind of the catalog; only rest is spoken.",
  },
  catalogWarehouse: {
    env: "ICEBERG_CATALOG_WAREHOUSE",
    type: "string",
    help: "Name of the warehouse in the catalog, where it has several.",
  },
  catalogPrefix: {
    env: "ICEBERG_CATALOG_PREFIX",
    type: "string",
    help: "Path after /v1/ of the catalog, where it does not say it by itself.",
  },
  catalogToken: { env: "ICEBERG_CATALOG_TOKEN", type: "string", secret: true, help: "Bearer token for the catalog." },
  catalogCredential: {
    env: "ICEBERG_CATALOG_CREDENTIAL",
    type: "string",
    secret: true,
    check: (text) => (/^[^:]+:.+$/s.test(text) ? undefined : "must be ID:SECRET"),
    help: "OAuth2 client credentials for the catalog, ID:SECRET; tokens are asked for and renewed with them.",
  },
  catalogScope: {
    env: "ICEBERG_CATALOG_SCOPE",
    type: "string",
    default: "catalog",
    help: "OAuth2 scope of the tokens that are asked for.",
  },
  catalogAudience: {
    env: "ICEBERG_CATALOG_AUDIENCE",
    type: "string",
    help: "OAuth2 audience, where the token server wants one.",
  },
  catalogTokenUri: {
    env: "ICEBERG_CATALOG_OAUTH2_SERVER_URI",
    type: "url",
    help: "Where OAuth2 tokens are issued; without it the catalog's own /v1/oauth/tokens.",
  },
  catalogAccessDelegation: {
    env: "ICEBERG_CATALOG_ACCESS_DELEGATION",
    type: "string",
    default: "none",
    choices: ["none", "vended-credentials"],
    help: "vended-credentials: the catalog gives the keys for each table's files; none: S3_* and AWS_* do.",
  },
  warehouse: {
    env: "ICEBERG_WAREHOUSE",
    type: "string",
    check: explainWarehouse,
    help: "Folder, file:// or s3://bucket/path under which all tables lie (default .firn/warehouse); a location outside it is refused.",
  },
  s3Bucket: {
    env: "S3_BUCKET",
    type: "string",
    help: "Bucket of the warehouse (s3://BUCKET/warehouse) where ICEBERG_WAREHOUSE is not set.",
  },
  ...storeSettings,
  fileCacheBytes: {
    env: "FIRN_FILE_CACHE_BYTES",
    type: "bytes",
    default: 4 * 1024 ** 3,
    min: 0,
    help: "Disk for copies of objects on S3; what was used within ten minutes stays beyond it.",
  },
} as const satisfies Record<string, Setting>;

/** The lake, the same for every service that reads or writes tables. */
export const lakeSettings = {
  catalogUri: {
    env: "ICEBERG_CATALOG_URI",
    type: "url",
    required: true,
    help: "Iceberg REST catalog that holds the tables.",
  },
  ...lakeAccessSettings,
} as const satisfies Record<string, Setting>;
