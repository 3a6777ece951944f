import type { TableDefinition } from "@firn/core";
import {
  createTableRequest,
  definedIdentifier,
  lakeEnvironment,
  loadTable,
  MemoryCatalog,
  openFileStore,
  openKernel,
  postCommit,
  stageCommit,
  stageRows,
  type Kernel,
  type KernelConnection,
  type LakeEnvironment,
  type SnapshotChange,
  type Table,
} from "@firn/lake";
import { join } from "node:path";
import { tempFolder } from "./temp-folder.ts";

/** A lake in this process: files in a temporary folder, the catalog in memory, and a kernel. */
export interface LocalLake {
  /** Its path; the tables lie in `warehouse`. */
  readonly folder: string;
  readonly env: LakeEnvironment;
  readonly kernel: Kernel;
  readonly connection: KernelConnection;
  /** Makes tables and their namespaces. */
  createTables(definitions: readonly TableDefinition[]): Promise<void>;
  load(definition: TableDefinition): Promise<Table>;
  /** Loads the table and commits. @throws Error where another commit came first */
  commit(definition: TableDefinition, changes: readonly SnapshotChange[]): Promise<Table>;
  /** Appends the rows of a SELECT. */
  append(definition: TableDefinition, relationSql: string): Promise<Table>;
  close(): Promise<void>;
}

/** @param name of the folder, after `firn-` */
export async function openLocalLake(name: string, { memoryLimitMb = 128 } = {}): Promise<LocalLake> {
  const folder = await tempFolder(name);
  const store = await openFileStore({ root: join(folder.path, "warehouse") });
  const catalog = new MemoryCatalog({ warehouse: store.root });
  const env = lakeEnvironment({ catalog, store });
  const kernel = await openKernel({ memoryLimitMb, threads: 1, tempDir: join(folder.path, "spill") });
  const connection = await kernel.connect();
  const load = (definition: TableDefinition) => loadTable(env, definedIdentifier(definition));
  const post = async (table: Table, changes: readonly SnapshotChange[]): Promise<Table> => {
    const posted = await postCommit(env, await stageCommit(env, { table, changes }));
    if (posted.kind !== "committed") throw new Error("the commit lost a race where there is none");
    return posted.table;
  };
  return {
    folder: folder.path,
    env,
    kernel,
    connection,
    async createTables(definitions) {
      for (const namespace of new Set(definitions.map((table) => table.namespace)))
        await catalog.createNamespace(definedIdentifier({ namespace, name: "" }).namespace);
      for (const definition of definitions)
        await catalog.createTable(definedIdentifier(definition), createTableRequest(definition));
    },
    load,
    commit: async (definition, changes) => post(await load(definition), changes),
    async append(definition, relationSql) {
      const table = await load(definition);
      const addedData = await stageRows(connection, { env, table, relationSql });
      return post(table, [{ operation: "append", addedData }]);
    },
    async close() {
      connection.close();
      kernel.close();
      await folder.remove();
    },
  };
}
