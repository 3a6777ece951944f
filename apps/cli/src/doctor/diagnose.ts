import { fileURLToPath } from "node:url";
import { resolve } from "node:path";

import { parsePorts, PortError } from "@firn/service/environment";

import type { AddressName } from "../config.ts";
import type { Lake } from "../lake-location.ts";
import { openLake } from "../lake-tables.ts";
import { check, type Check } from "./check.ts";
import { checkDatabase } from "./database-checks.ts";
import { checkFolder, checkPorts, checkSpace, checkTools } from "./machine-checks.ts";
import { checkNats } from "./nats-checks.ts";
import type { ProbeWorld } from "./probe-world.ts";
import { checkClocks, checkReady, checkTimeZones, type Peer } from "./service-checks.ts";
import { checkCatalog, checkStore } from "./store-checks.ts";

const SERVICES = ["ingest", "validator", "catalog-writer", "aggregator", "query", "market", "catalog"] as const;

/** Everything that a lake which runs needs, asked of the addresses that are known. */
export async function diagnoseLake(lake: Lake, world: ProbeWorld): Promise<readonly Check[]> {
  const { nats, nats_monitor: monitor, catalog, database, warehouse } = lake.endpoints;
  const peers: Peer[] = SERVICES.flatMap((name) => {
    const url = lake.endpoints[name];
    return url === undefined ? [] : [{ name, url }];
  });
  const folders = [lake.dataDir, localFolder(warehouse)].filter((folder) => folder !== undefined);
  const groups: (Promise<Check> | Promise<readonly Check[]>)[] = [
    nats === undefined ? unknown("nats", "NATS_URL") : checkNats({ nats, monitor }),
    catalog === undefined ? unknown("catalog", "ICEBERG_CATALOG_URI") : checkLakeTables(lake),
    ...(database === undefined ? [] : [checkDatabase(database)]),
    ...checkReady(peers),
    checkClocks(peers, world),
    checkTimeZones(peers),
    ...(folders.length > 0 ? [checkSpace([...new Set(folders)], world)] : []),
  ];
  return (await Promise.all(groups)).flat();
}

/** What a start on this machine would need. */
export async function diagnoseStart(
  dataDir: string,
  environment: NodeJS.ProcessEnv,
  world: ProbeWorld,
): Promise<readonly Check[]> {
  const host = environment["FIRN_HOST"] || "127.0.0.1";
  return Promise.all([
    ...checkTools(environment),
    checkFolder(dataDir),
    checkSpace([dataDir], world),
    portsOf(environment, host),
  ]);
}

async function portsOf(environment: NodeJS.ProcessEnv, host: string): Promise<Check> {
  try {
    return await checkPorts(parsePorts(environment), host);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return check("ports", "Correct the variable", () => Promise.reject(error));
  }
}

function unknown(name: AddressName, variable: string): Promise<Check> {
  return check(name, `Set ${variable}`, () => Promise.reject(new Error("its address is not known")));
}

async function checkLakeTables(lake: Lake): Promise<readonly Check[]> {
  if (lake.endpoints.warehouse === undefined) return [await unknown("warehouse", "ICEBERG_WAREHOUSE")];
  const opened = await openLake(lake).then(
    (environment) => ({ environment }),
    (error: unknown) => ({ error }),
  );
  if ("error" in opened) {
    return [await check("warehouse", "Correct ICEBERG_WAREHOUSE", () => Promise.reject(opened.error as Error))];
  }
  const [catalog, store] = await Promise.all([checkCatalog(opened.environment), checkStore(opened.environment)]);
  return [...catalog, store];
}

/** The folder of a warehouse on this machine. */
function localFolder(warehouse: string | undefined): string | undefined {
  if (warehouse === undefined) return undefined;
  if (warehouse.startsWith("file:")) return fileURLToPath(warehouse);
  return /^[a-z0-9]+:\//i.test(warehouse) ? undefined : resolve(warehouse);
}
