/**
 * What benchmarks of questions have in common: a catalog and a table of their own in a temporary folder, made through
 * libs/lake, and the query service as a process that answers from it.
 */
import type { TableDefinition } from "@firn/core";
import {
  createTableRequest,
  currentFiles,
  definedIdentifier,
  openKernel,
  openLake,
  postCommit,
  stageCommit,
  stageRows,
  type KernelConnection,
  type LakeEnvironment,
  type Table,
} from "@firn/lake";
import { startNatsServer, startScript, tempFolder, type AppProcess } from "@firn/testing";
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { cpuSeconds } from "./processes.mjs";
import { closeConnections } from "./timed-questions.ts";

const MEMORY_MB = 2048;

export interface QueryProcess {
  readonly url: string;
  /** CPU milliseconds that it has used, which do not depend on what else the machine does. */
  cpuMs(): number;
}

export interface AskedTable {
  readonly connection: KernelConnection;
  /** The table's data files on this machine. */
  readonly paths: readonly string[];
  /** Nothing is answered from its result cache. */
  startQuery(environment?: Readonly<Record<string, string>>): Promise<QueryProcess>;
  close(): Promise<void>;
}

/**
 * Makes the table, a commit for each relation, and prints the machine and what was made.
 * @param relations a SELECT of the table's columns each
 */
export async function makeAskedTable(
  definition: TableDefinition,
  relations: readonly string[],
  options: { readonly rowGroupRows?: number } = {},
): Promise<AskedTable> {
  const folder = await tempFolder("bench");
  const nats = await startNatsServer({ dir: `${folder.path}/nats` });
  const warehouse = `${folder.path}/warehouse`;
  const shared = { FIRN_PORT: "0", FIRN_LOG_LEVEL: "warn", FIRN_DATA_DIR: folder.path, ICEBERG_WAREHOUSE: warehouse };
  const catalog = await startApp("catalog", shared);
  const env = await openLake({ catalogUri: catalog.url, warehouse });
  const kernel = await openKernel({ memoryLimitMb: MEMORY_MB, threads: 1, tempDir: `${folder.path}/spill` });
  const connection = await kernel.connect();
  const startMs = performance.now();
  const table = await fill(env, connection, definition, relations, options);
  const files = (await currentFiles(env, table)).data;
  printMachine();
  const sum = (of: (file: (typeof files)[number]) => number) => files.reduce((total, file) => total + of(file), 0);
  const made = `${(sum((file) => file.fileSizeBytes) / 1e6).toFixed(0)} MB, made in ${((performance.now() - startMs) / 1000).toFixed(0)} s`;
  console.log(`${sum((file) => file.recordCount)} rows in ${files.length} files, ${made}`);
  const apps = [catalog];
  return {
    connection,
    paths: await Promise.all(files.map((file) => env.store.localPath(file.filePath))),
    startQuery: async (environment = {}) => {
      const own = { NATS_URL: nats.url, ICEBERG_CATALOG_URI: catalog.url, FIRN_QUERY_CACHE_VALUES: "0" };
      const query = await startApp("query", { ...shared, ...own, ...environment });
      apps.unshift(query);
      return { url: query.url, cpuMs: () => cpuSeconds(query.pid) * 1000 };
    },
    close: async () => {
      connection.close();
      kernel.close();
      closeConnections();
      for (const app of apps) await app.stop();
      await nats.stop();
      await folder.remove();
    },
  };
}

async function fill(
  env: LakeEnvironment,
  connection: KernelConnection,
  definition: TableDefinition,
  relations: readonly string[],
  options: { readonly rowGroupRows?: number },
): Promise<Table> {
  const identifier = definedIdentifier(definition);
  await env.catalog.createNamespace(identifier.namespace);
  let table: Table = { identifier, ...(await env.catalog.createTable(identifier, createTableRequest(definition))) };
  for (const relationSql of relations) {
    const addedData = await stageRows(connection, { env, table, relationSql, evaluateAgain: true, ...options });
    const staged = await stageCommit(env, { table, changes: [{ operation: "append", addedData }] });
    table = (await postCommit(env, staged)).table;
  }
  return table;
}

/** What a figure has to be read with. */
function printMachine(): void {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  console.log(`${cpus()[0]?.model ?? "unknown"} × ${cpus().length}, node ${process.version}, commit ${commit}`);
}

/** By its path from the root: benchmarks run bundled, so that they cannot find the apps beside themselves. */
function startApp(app: string, env: Record<string, string>): Promise<AppProcess> {
  return startScript(join(process.cwd(), "apps", app, "dist", "main.js"), { app, env, cwd: process.cwd() });
}
