/** What both sides of the benchmark work on: a folder, a catalog process of ours, and this process's way to both. */
import {
  createTableRequest,
  definedIdentifier,
  openKernel,
  openLake,
  postCommit,
  sqlString,
  stageCommit,
  type DefinedTable,
  type Kernel,
  type KernelConnection,
  type LakeEnvironment,
  type SnapshotChange,
  type Table,
} from "@firn/lake";
import { startScript, tempFolder } from "@firn/testing";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { namespace } from "./events.ts";

export interface Setting {
  readonly folder: string;
  readonly warehouse: string;
  readonly catalogUri: string;
  readonly env: LakeEnvironment;
  readonly kernel: Kernel;
  readonly connection: KernelConnection;
  close(): Promise<void>;
}

export interface SettingOptions {
  readonly memoryLimitMb: number;
  readonly threads: number;
}

export async function openSetting(options: SettingOptions): Promise<Setting> {
  const folder = await tempFolder("bench-lake");
  const warehouse = join(folder.path, "warehouse");
  // By its path from the root: this file runs bundled, so that it cannot find the apps beside itself.
  const catalog = await startScript(join(process.cwd(), "apps", "catalog", "dist", "main.js"), {
    app: "catalog",
    env: { FIRN_PORT: "0", FIRN_LOG_LEVEL: "warn", FIRN_DATA_DIR: folder.path, ICEBERG_WAREHOUSE: warehouse },
    cwd: process.cwd(),
  });
  const env = await freshEnvironment({ catalogUri: catalog.url, warehouse });
  await env.catalog.createNamespace([namespace]);
  const kernel = await openKernel({ ...options, tempDir: join(folder.path, "spill") });
  const connection = await kernel.connect();
  return {
    folder: folder.path,
    warehouse,
    catalogUri: catalog.url,
    env,
    kernel,
    connection,
    async close() {
      connection.close();
      kernel.close();
      await catalog.stop();
      await folder.remove();
    },
  };
}

/** The lake as a process sees it that has read nothing yet. */
export function freshEnvironment({
  catalogUri,
  warehouse,
}: Pick<Setting, "catalogUri" | "warehouse">): Promise<LakeEnvironment> {
  return openLake({ catalogUri, warehouse });
}

export async function makeTable({ env }: Setting, definition: DefinedTable): Promise<Table> {
  const identifier = definedIdentifier(definition);
  return { identifier, ...(await env.catalog.createTable(identifier, createTableRequest(definition))) };
}

export async function commit({ env }: Setting, table: Table, change: SnapshotChange): Promise<Table> {
  const result = await postCommit(env, await stageCommit(env, { table, changes: [change] }));
  if (result.kind !== "committed") throw new Error(`${table.identifier.name}: another commit came first`);
  return result.table;
}

/** Writes rows by their numbers into a Parquet file that both sides read. */
export async function writeSource({ connection, folder }: Setting, name: string, rowsSql: string): Promise<string> {
  await mkdir(join(folder, "source"), { recursive: true });
  const path = join(folder, "source", `${name}.parquet`);
  await connection.run(`COPY (${rowsSql}) TO ${sqlString(path)} (FORMAT parquet, COMPRESSION snappy)`);
  return path;
}
