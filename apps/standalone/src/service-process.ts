import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { StandaloneConfig } from "./config.ts";
import { endpointsOf } from "./endpoints-file.ts";
import type { ProcessName } from "./start-arguments.mjs";
import type { ProcessSpec } from "./supervised-process.ts";

export type ServiceName = Exclude<ProcessName, "nats" | "database">;

/** Folder of the bundled apps: `apps/` of the repository, seen from `apps/standalone/dist/main.js`. */
export const APPS_FOLDER = join(import.meta.dirname, "..", "..");

/**
 * Until V8 has seen how much survives, buffers that pass through count against its first limit of old objects: at the
 * default a service collected its whole heap each 70 ms, in one run of two, for as much CPU as its work. The image has it
 * too (deploy/Dockerfile).
 */
const everyService = ["--initial-old-space-size=128"];

/**
 * Flags of Node by service. What the validator makes of a run lives until its append is answered: with room for it
 * among the young objects a sample costs a tenth less. The catalog-writer's rows are in DuckDB: it needs fewer old ones.
 */
const nodeFlags: Partial<Record<ServiceName, readonly string[]>> = {
  validator: ["--max-semi-space-size=32"],
  "catalog-writer": ["--initial-old-space-size=64"],
};

/**
 * glibc keeps up to eight heaps a core, DuckDB's jemalloc four, and what is freed in one is not used in another; one of
 * each is enough for a service. Large blocks go back when they are freed: glibc would keep ever larger ones for itself.
 * A catalog-writer at the end of a backfill takes a quarter less, for no CPU that could be measured.
 */
const allocatorEnvironment = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: String(256 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(256 * 1024),
  DUCKDB_JE_MALLOC_CONF: "narenas:1",
};

/** One of Firn's services as `node apps/NAME/dist/main.js`, with this data directory and these addresses. */
export function serviceProcess(
  config: StandaloneConfig,
  name: ServiceName,
  addresses: { readonly appsFolder: string; readonly databaseUrl: string | undefined },
): ProcessSpec {
  const stateFolder = join(config.dataDir, "state", name);
  const endpoints = endpointsOf(config);
  mkdirSync(stateFolder, { recursive: true });
  return {
    name,
    command: process.execPath,
    args: [...everyService, ...(nodeFlags[name] ?? []), join(addresses.appsFolder, name, "dist", "main.js")],
    cwd: process.cwd(),
    env: {
      ...allocatorEnvironment,
      ...config.environment,
      ...(addresses.databaseUrl === undefined ? {} : { DATABASE_URL: addresses.databaseUrl }),
      NATS_URL: config.natsUrl,
      ICEBERG_CATALOG_URI: config.catalogUrl,
      ICEBERG_WAREHOUSE: config.warehouse,
      FIRN_INGEST_URL: endpoints["ingest"] ?? config.environment["FIRN_INGEST_URL"],
      FIRN_QUERY_URL: endpoints["query"] ?? config.environment["FIRN_QUERY_URL"],
      FIRN_HOST: config.host,
      FIRN_PORT: String(config.ports[name]),
      FIRN_DATA_DIR: stateFolder,
    },
  };
}
