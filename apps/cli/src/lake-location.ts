import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import type { Command } from "commander";

import { ADDRESS_VARIABLES, readConfig, type AddressName, type CliConfig } from "./config.ts";
import { CommandError, EXIT } from "./exit-code.ts";

/** Options by which every command finds the lake that it works on. */
export interface LakeOptions {
  readonly dataDir?: string;
  readonly ingest?: string;
  readonly query?: string;
  readonly json?: boolean;
}

/** Where the parts of a lake answer. What is not known is absent. */
export interface Lake {
  /** Folder of the endpoints.json that was read, when there is one. */
  readonly dataDir: string | undefined;
  readonly endpoints: Readonly<Partial<Record<AddressName, string>>>;
}

export const DEFAULT_DATA_DIR = ".firn";

/** Adds the options of LakeOptions, the same words for every command. */
export function withLakeOptions(command: Command): Command {
  return command
    .option("--data-dir <dir>", "folder of a running lake (FIRN_DATA_DIR, default .firn)")
    .option("--ingest <url>", "address of ingest (FIRN_INGEST_URL)")
    .option("--query <url>", "address of query (FIRN_QUERY_URL)")
    .option("--json", "print the result as JSON");
}

/** Reads endpoints.json of the data directory; options and environment come before it. */
export function findLake(options: LakeOptions, config: CliConfig = readConfig()): Lake {
  const dataDir = resolve(options.dataDir ?? config.dataDir ?? DEFAULT_DATA_DIR);
  const fromFile = readEndpoints(join(dataDir, "endpoints.json"));
  const endpoints: Partial<Record<AddressName, string>> = { ...fromFile, ...config.addresses };
  if (options.ingest) endpoints.ingest = options.ingest;
  if (options.query) endpoints.query = options.query;
  return { dataDir: fromFile === undefined ? undefined : dataDir, endpoints };
}

function readEndpoints(path: string): Partial<Record<AddressName, string>> | undefined {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    return Object.fromEntries(Object.entries(value).filter(([, address]) => typeof address === "string"));
  } catch {
    return undefined;
  }
}

/** @throws CommandError (broken) that says how to name the address. */
export function requireAddress(lake: Lake, name: AddressName): string {
  const address = lake.endpoints[name];
  if (address !== undefined) return address;
  const variable = ADDRESS_VARIABLES[name];
  const ways = [
    "start the lake (npm start)",
    "name its folder with --data-dir",
    ...(variable ? [`set ${variable}`] : []),
  ];
  throw new CommandError(EXIT.broken, `no running lake found: the address of ${name} is not known`, {
    fix: `Either ${ways.join(", or ")}`,
  });
}
