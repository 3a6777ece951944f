import { join, resolve } from "node:path";

import { explainZone, type Dataset } from "@firn/core";
import { createDatasets, datasetSettings } from "@firn/datasets";
import {
  ConfigError as SettingsError,
  defineSettings,
  freePorts,
  lakeAccessSettings,
  parsePorts,
  type Ports,
} from "@firn/service/environment";

import type { StartOptions } from "./start-arguments.mjs";

const namesSettings = defineSettings(datasetSettings);
const accessSettings = defineSettings(lakeAccessSettings);

export type LakeAccess = ReturnType<typeof accessSettings.parse>;

/** Everything that a start depends on, read once. */
export interface StandaloneConfig extends StartOptions {
  readonly host: string;
  readonly ports: Ports;
  /** Addresses of this start's own servers, or of the ones that NATS_URL and ICEBERG_CATALOG_URI name. */
  readonly natsUrl: string;
  readonly catalogUrl: string;
  readonly warehouse: string;
  /** Of an existing PostgreSQL that DATABASE_URL names; undefined where this start runs its own, or none. */
  readonly databaseUrl: string | undefined;
  /** Keys and ways to the catalog, which the services read from the same environment. */
  readonly access: LakeAccess;
  /** The datasets with the names that the site gives their tables. */
  readonly datasets: ReadonlyMap<string, Dataset>;
  /** What the children inherit. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The environment cannot be used; the message names the variable. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** @throws ConfigError, PortError */
export async function readConfig(
  options: StartOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<StandaloneConfig> {
  const host = environment["FIRN_HOST"] || "127.0.0.1";
  const ports = options.autoPorts ? await freePorts(host) : parsePorts(environment);
  const access = accessOf(environment);
  const own = (name: "nats" | "catalog") => options.only.includes(name);
  const databaseUrl = environment["DATABASE_URL"] || undefined;
  return {
    ...options,
    only: processesOf(options, databaseUrl),
    databaseUrl,
    host,
    ports,
    natsUrl: own("nats") ? `nats://${addressOf(host)}:${ports.nats}` : (environment["NATS_URL"] ?? ""),
    catalogUrl: own("catalog")
      ? `http://${addressOf(host)}:${ports.catalog}`
      : (environment["ICEBERG_CATALOG_URI"] ?? ""),
    warehouse: warehouseOf(options, access),
    access,
    datasets: datasetsOf(environment),
    environment,
  };
}

/** An existing database takes the place of our own; without any, nobody keeps the market's relations. */
function processesOf({ only }: StartOptions, databaseUrl: string | undefined): StartOptions["only"] {
  if (databaseUrl !== undefined) return only.filter((name) => name !== "database");
  return only.includes("database") ? only : only.filter((name) => name !== "market");
}

/** What all services read alike is looked at before the first one starts. */
function datasetsOf(environment: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, Dataset> {
  const rule = explainZone(environment["FIRN_DEFAULT_TIMEZONE"] || "UTC");
  if (rule !== undefined) throw new ConfigError(`FIRN_DEFAULT_TIMEZONE: ${rule}`);
  try {
    return createDatasets(namesSettings.parse(environment));
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof SettingsError)) throw error;
    throw new ConfigError(error.message, { cause: error });
  }
}

function accessOf(environment: Readonly<Record<string, string | undefined>>): LakeAccess {
  try {
    return accessSettings.parse(environment);
  } catch (error) {
    if (error instanceof SettingsError) throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}

/** A folder becomes absolute; an address (s3://, file://) stays. */
function warehouseOf(options: StartOptions, { warehouse, s3Bucket }: LakeAccess): string {
  if (warehouse === undefined) {
    return s3Bucket === undefined ? join(options.dataDir, "warehouse") : `s3://${s3Bucket}/warehouse`;
  }
  return /^[a-z0-9]+:\//i.test(warehouse) ? warehouse : resolve(warehouse);
}

/** What a client on this machine connects to when a server binds `host`. */
export function addressOf(host: string): string {
  if (host === "0.0.0.0" || host === "") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
