import type { TableDefinition } from "@firn/core";
import {
  createTableRequest,
  definedIdentifier,
  lakeEnvironment,
  loadTable,
  MemoryCatalog,
  openFileStore,
  postCommit,
  stageCommit,
  stageRows,
  type LakeEnvironment,
  type SnapshotChange,
  type Table,
} from "@firn/lake";
import { join } from "node:path";
import { openLocalKernel, type LocalKernel } from "./local-kernel.ts";

/** A lake in this process: a kernel, files in `warehouse` of its temporary folder, the catalog in memory. */
export interface LocalLake extends LocalKernel {
  readonly env: LakeEnvironment;
  /** Makes tables and their namespaces. */
  createTables(definitions: readonly TableDefinition[]): Promise<void>;
  load(definition: TableDefinition): Promise<Table>;
  /** Loads the table and commits. @throws Error where another commit came first */
  commit(definition: TableDefinition, changes: readonly SnapshotChange[]): Promise<Table>;
  /** Appends the rows of a SELECT. */
  append(definition: TableDefinition, relationSql: string): Promise<Table>;
}

/** @param name of the folder, after `firn-` */
export async function openLocalLake(name: string, options?: { memoryLimitMb?: number }): Promise<LocalLake> {
  const local = await openLocalKernel(name, options);
  const { connection, folder } = local;
  const store = await openFileStore({ root: join(folder, "warehouse") });
  const catalog = new MemoryCatalog({ warehouse: store.root });
  const env = lakeEnvironment({ catalog, store });
  const load = (definition: TableDefinition) => loadTable(env, definedIdentifier(definition));
  const post = async (table: Table, changes: readonly SnapshotChange[]): Promise<Table> => {
    const posted = await postCommit(env, await stageCommit(env, { table, changes }));
    if (posted.kind !== "committed") throw new Error("the commit lost a race where there is none");
    return posted.table;
  };
  return {
    ...local,
    env,
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
  };
}
