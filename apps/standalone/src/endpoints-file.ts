import { join } from "node:path";

import { readJsonFile, removeFile, writeJsonFile } from "./atomic-file.ts";
import { addressOf, type StandaloneConfig } from "./config.ts";

/** `DIR/endpoints.json`: where everything of this data directory answers, and the id of each process. */
export class EndpointsFile {
  readonly #path: string;
  readonly #config: StandaloneConfig;
  readonly #pids: Record<string, number> = {};
  #databaseUrl: string | undefined;
  #published = false;

  constructor(config: StandaloneConfig) {
    this.#path = endpointsPath(config.dataDir);
    this.#config = config;
  }

  /** Where the relations are, once that is known. */
  setDatabase(url: string): void {
    this.#databaseUrl = url;
  }

  /** What the file holds, but for the ids of processes. */
  addresses(): Readonly<Record<string, string | null>> {
    return endpointsOf(this.#config, this.#databaseUrl);
  }

  /** A process is ready with this id; once published, the file follows. */
  setPid(name: string, pid: number): void {
    this.#pids[name] = pid;
    if (this.#published) this.#write();
  }

  /** All is ready. */
  publish(): void {
    this.#published = true;
    this.#write();
  }

  remove(): void {
    this.#published = false;
    removeFile(this.#path);
  }

  #write(): void {
    writeJsonFile(this.#path, { ...this.addresses(), pids: this.#pids });
  }
}

function endpointsPath(dataDir: string): string {
  return join(dataDir, "endpoints.json");
}

/** Addresses of what this start runs, and of the NATS server and catalog that it works with. */
export function endpointsOf(
  config: StandaloneConfig,
  databaseUrl = config.databaseUrl,
): Readonly<Record<string, string | null>> {
  const { host, ports, only } = config;
  const http = (port: number) => `http://${addressOf(host)}:${port}`;
  const endpoints: Record<string, string | null> = {};
  for (const name of ["ingest", "query", "catalog", "validator", "aggregator", "catalog-writer", "market"] as const) {
    if (only.includes(name)) endpoints[name] = http(ports[name]);
  }
  if (config.catalogUrl !== "") endpoints["catalog"] = config.catalogUrl;
  if (config.natsUrl !== "") endpoints["nats"] = config.natsUrl;
  if (only.includes("nats")) endpoints["nats_monitor"] = http(ports["nats-monitor"]);
  endpoints["warehouse"] = config.warehouse;
  endpoints["database"] = databaseUrl ?? null;
  return endpoints;
}

/** The endpoints of the start that runs on a data directory, for the message of a second one. */
export function readEndpoints(dataDir: string): Readonly<Record<string, unknown>> | undefined {
  const value = readJsonFile(endpointsPath(dataDir));
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
}
