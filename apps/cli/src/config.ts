import { explainZone, type Dataset } from "@firn/core";
import { createDatasets, datasetSettings } from "@firn/datasets";
import {
  ConfigError,
  defineSettings,
  kafkaAccessSettings,
  lakeAccessSettings,
  readVariable,
  type SettingsDefinition,
} from "@firn/service/environment";

import type { JobSettings } from "@firn/feeds";

import { CommandError, EXIT } from "./exit-code.ts";

export type AddressName =
  | "ingest"
  | "query"
  | "catalog"
  | "validator"
  | "aggregator"
  | "catalog-writer"
  | "market"
  | "nats"
  | "nats_monitor"
  | "warehouse"
  | "database";

/** Addresses that the environment may set, and by which variable. */
export const ADDRESS_VARIABLES: Readonly<Partial<Record<AddressName, string>>> = {
  ingest: "FIRN_INGEST_URL",
  query: "FIRN_QUERY_URL",
  catalog: "ICEBERG_CATALOG_URI",
  nats: "NATS_URL",
  nats_monitor: "FIRN_NATS_MONITOR_URL",
  warehouse: "ICEBERG_WAREHOUSE",
  database: "DATABASE_URL",
};

const DATA_DIR_VARIABLE = "FIRN_DATA_DIR";
const ZONE_VARIABLE = "FIRN_DEFAULT_TIMEZONE";

const TOKEN_VARIABLE = "FIRN_TOKEN";

/** Keys and ways to the catalog and to S3: endpoints.json holds addresses alone. */
const accessSettings = defineSettings(lakeAccessSettings);

export type LakeAccess = ReturnType<typeof accessSettings.parse>;

const namesSettings = defineSettings(datasetSettings);

const kafkaSettings = defineSettings(kafkaAccessSettings);

/** What a command takes from the environment. An empty variable counts as absent. */
export interface CliConfig {
  /** All of it, for what looks at the settings of a start. */
  readonly environment: NodeJS.ProcessEnv;
  readonly dataDir: string | undefined;
  readonly addresses: Readonly<Partial<Record<AddressName, string>>>;
  readonly access: LakeAccess;
  /** Bearer token for ingest and query. */
  readonly token: string | undefined;
  /** Where Kafka is, for what sends to it. */
  readonly kafka: ReturnType<typeof kafkaSettings.parse>;
  /** The datasets with the names that the site gives their tables. */
  readonly datasets: ReadonlyMap<string, Dataset>;
  /** Zone of samples that name none, as the lake's services have it. */
  readonly defaultZone: string;
  /** Where jobs fetch from. */
  readonly sources: Omit<JobSettings, "ingestUrl" | "queryUrl">;
}

/** Requests a second to each source. */
const REQUESTS_PER_SECOND = 5;

/** @throws CommandError (usage) that names the variable and the rule */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): CliConfig {
  const addresses = Object.entries(ADDRESS_VARIABLES).flatMap(([name, variable]) => {
    const address = textOf(variable, environment);
    return address === undefined ? [] : [[name, address] as const];
  });
  const token = textOf(TOKEN_VARIABLE, environment);
  return {
    environment,
    dataDir: environment[DATA_DIR_VARIABLE] || undefined,
    addresses: Object.fromEntries(addresses),
    access: parsed(accessSettings, environment),
    token,
    kafka: parsed(kafkaSettings, environment),
    datasets: readDatasets(environment),
    defaultZone: readZone(environment),
    sources: {
      token,
      yahooBaseUrl: textOf("YAHOO_BASE_URL", environment),
      fredBaseUrl: textOf("FRED_BASE_URL", environment),
      fredApiKey: textOf("FRED_API_KEY", environment),
      requestsPerSecond: REQUESTS_PER_SECOND,
    },
  };
}

function textOf(variable: string, environment: NodeJS.ProcessEnv): string | undefined {
  const text = readVariable(variable, environment);
  if (!text.ok) throw new CommandError(EXIT.usage, `${variable} ${text.rule}`);
  return text.value || undefined;
}

function parsed<S>(settings: SettingsDefinition<S>, environment: NodeJS.ProcessEnv): S {
  try {
    return settings.parse(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(EXIT.usage, error.message, { cause: error });
  }
}

function readDatasets(environment: NodeJS.ProcessEnv): ReadonlyMap<string, Dataset> {
  try {
    return createDatasets(parsed(namesSettings, environment));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CommandError(EXIT.usage, error.message, { cause: error });
  }
}

function readZone(environment: NodeJS.ProcessEnv): string {
  const zone = environment[ZONE_VARIABLE] || "UTC";
  const rule = explainZone(zone);
  if (rule !== undefined) throw new CommandError(EXIT.usage, `${ZONE_VARIABLE} ${rule}`);
  return zone;
}
