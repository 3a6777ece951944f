import { join } from "node:path";

import { answersAt, prepareEmbeddedPostgres } from "@firn/relational";

import type { StandaloneConfig } from "./config.ts";
import { StartError, type ProcessSpec } from "./supervised-process.ts";

/**
 * The PostgreSQL of this data directory: the server that npm brings, on loopback only, with all it keeps in
 * `DIR/postgres`.
 * @throws StartError that says to set DATABASE_URL where it cannot be made
 */
export async function databaseProcess(
  config: StandaloneConfig,
): Promise<{ readonly spec: ProcessSpec; readonly databaseUrl: string }> {
  const dir = join(config.dataDir, "postgres");
  const server = await prepareEmbeddedPostgres({ dir, port: config.ports.database }).catch((cause: Error) => {
    throw new StartError(`${cause.message}; DATABASE_URL may name an existing PostgreSQL instead`, { cause });
  });
  const { databaseUrl, ...how } = server;
  const isReady = () => answersAt(databaseUrl);
  return { databaseUrl, spec: { name: "database", ...how, env: config.environment, cwd: dir, isReady } };
}
