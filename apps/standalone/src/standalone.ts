import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { migrateDatabase } from "@firn/relational";
import { requireFree, type PortName } from "@firn/service/environment";

import type { StandaloneConfig } from "./config.ts";
import { databaseProcess } from "./database-process.ts";
import { EndpointsFile } from "./endpoints-file.ts";
import { LogFolder } from "./log-file.ts";
import { natsProcess } from "./nats-process.ts";
import { endOrphans, ProcessLedger } from "./process-ledger.ts";
import { serviceProcess } from "./service-process.ts";
import type { ProcessName } from "./start-arguments.mjs";
import { StartError, SupervisedProcess, type ProcessSpec } from "./supervised-process.ts";

/** What must be up before the next group starts. */
const START_GROUPS: readonly (readonly ProcessName[])[] = [
  ["nats", "database", "catalog"],
  ["catalog-writer", "validator", "aggregator", "query", "ingest"],
  ["market"],
];

/** Who takes things in ends first, whom everybody needs ends last. */
const STOP_ORDER: readonly ProcessName[] = [
  "market",
  "ingest",
  "query",
  "validator",
  "aggregator",
  "catalog-writer",
  "catalog",
  "database",
  "nats",
];

export interface StandaloneParts {
  /** Folder that holds `NAME/dist/main.js` of every service. */
  readonly appsFolder: string;
  readonly natsBinary: string;
  /** One line for the person at the terminal. */
  say(line: string): void;
}

/** The processes of one data directory. The caller holds the lock of the directory. */
export class Standalone {
  readonly endpoints: EndpointsFile;
  readonly ledger: ProcessLedger;
  readonly #config: StandaloneConfig;
  readonly #parts: StandaloneParts;
  readonly #logs: LogFolder;
  readonly #processes = new Map<ProcessName, SupervisedProcess>();
  #databaseUrl: string | undefined;
  #stopping = false;

  constructor(config: StandaloneConfig, parts: StandaloneParts) {
    mkdirSync(config.dataDir, { recursive: true });
    this.#config = config;
    this.#parts = parts;
    this.#logs = new LogFolder(join(config.dataDir, "logs"));
    this.ledger = new ProcessLedger(ledgerPath(config.dataDir));
    this.endpoints = new EndpointsFile(config);
    this.#databaseUrl = config.databaseUrl;
  }

  /** Ends what a killed start left behind. Call it before the ports are looked at. */
  async clean(): Promise<void> {
    this.endpoints.remove();
    const ended = await endOrphans(ledgerPath(this.#config.dataDir));
    if (ended.length > 0) this.#parts.say(`ended what an earlier start had left running: ${ended.join(", ")}`);
  }

  /** Resolves when every process is ready and endpoints.json is there. @throws PortError, StartError */
  async start(): Promise<void> {
    const { only, ports, host } = this.#config;
    const names: PortName[] = only.includes("nats") ? [...only, "nats-monitor"] : [...only];
    await requireFree(ports, names, host);
    for (const group of START_GROUPS) {
      if (this.#stopping) return;
      const members = group.filter((name) => only.includes(name));
      await Promise.all(members.map((name) => this.#startProcess(name)));
      if (group === START_GROUPS[0]) await this.#migrate();
    }
    if (!this.#stopping) this.endpoints.publish();
  }

  /** Drains and ends every process, in order. Safe to call at any time, and twice. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.endpoints.remove();
    for (const name of STOP_ORDER) await this.#processes.get(name)?.stop();
    this.ledger.close();
    this.#logs.close();
  }

  /** Ends every process at once; the streams and tables hold what was accepted. */
  kill(): void {
    this.#stopping = true;
    for (const supervised of this.#processes.values()) supervised.kill();
  }

  logPath(name: string): string {
    return this.#logs.path(name);
  }

  /** Brings the relations to the newest schema before a service asks for them. */
  async #migrate(): Promise<void> {
    if (this.#databaseUrl === undefined || this.#stopping) return;
    try {
      await migrateDatabase({ databaseUrl: this.#databaseUrl });
    } catch (cause) {
      const reason = cause instanceof Error && cause.message !== "" ? cause.message : String(cause);
      throw new StartError(`the database cannot be brought to its schema: ${reason}`, { cause });
    }
  }

  async #startProcess(name: ProcessName): Promise<void> {
    const supervised = new SupervisedProcess(await this.#specOf(name), {
      logs: this.#logs,
      ledger: this.ledger,
      onReady: (ready, pid) => this.endpoints.setPid(ready, pid),
      onEnded: (ended, how, delayMs) => {
        this.#parts.say(`${ended} ended (${how}); starting it again in ${delayMs} ms`);
      },
    });
    this.#processes.set(name, supervised);
    await supervised.start();
  }

  async #specOf(name: ProcessName): Promise<ProcessSpec> {
    if (name === "nats") return natsProcess(this.#config, this.#parts.natsBinary);
    if (name !== "database") {
      return serviceProcess(this.#config, name, {
        appsFolder: this.#parts.appsFolder,
        databaseUrl: this.#databaseUrl,
      });
    }
    const database = await databaseProcess(this.#config);
    this.#databaseUrl = database.databaseUrl;
    this.endpoints.setDatabase(database.databaseUrl);
    return database.spec;
  }
}

function ledgerPath(dataDir: string): string {
  return join(dataDir, "processes.json");
}
