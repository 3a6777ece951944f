import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryCatalog } from "../src/catalog/memory-catalog.ts";
import { lakeEnvironment, type LakeEnvironment } from "../src/commit/environment.ts";
import { postCommit } from "../src/commit/post-commit.ts";
import type { SnapshotChange } from "../src/commit/snapshot-change.ts";
import { stageCommit } from "../src/commit/stage-commit.ts";
import { loadTable, type Table } from "../src/commit/table.ts";
import { openKernel, type Kernel, type KernelConnection } from "../src/kernel/duck.ts";
import { createTableRequest, type DefinedTable } from "../src/metadata/table-definition.ts";
import { planScan, type PlanScanOptions } from "../src/scan/plan-scan.ts";
import { scanSql } from "../src/scan/scan-sql.ts";
import { openFileStore } from "../src/store/file-store.ts";

/** Tables on a local file store with a memory catalog, and a kernel; all in a folder that `close` removes. */
export interface LakeFixture {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly folder: string;
  createTable(definition: Partial<DefinedTable> & Pick<DefinedTable, "columns">): Promise<Table>;
  commit(table: Table, ...changes: SnapshotChange[]): Promise<Table>;
  rows<T extends object>(table: Table, options?: Partial<PlanScanOptions>, orderBy?: string): Promise<T[]>;
  close(): Promise<void>;
}

export async function openFixture(): Promise<LakeFixture> {
  const folder = await mkdtemp(join(tmpdir(), "firn-lake-"));
  const store = await openFileStore({ root: join(folder, "warehouse") });
  const catalog = new MemoryCatalog({ warehouse: store.root });
  await catalog.createNamespace(["db"]);
  const env = lakeEnvironment({ catalog, store });
  const kernel: Kernel = await openKernel({ memoryLimitMb: 512, threads: 1, tempDir: join(folder, "temp") });
  const connection = await kernel.connect();
  let tables = 0;
  return {
    env,
    connection,
    folder,
    async createTable(definition) {
      const identifier = { namespace: ["db"], name: `t${tables++}` };
      const full = { identity: [], partition: [], sort: [], properties: {}, ...definition };
      await catalog.createTable(identifier, createTableRequest(full));
      return loadTable(env, identifier);
    },
    async commit(table, ...changes) {
      const posted = await postCommit(env, await stageCommit(env, { table, changes }));
      if (posted.kind === "conflict") throw new Error("another commit came first");
      return posted.table;
    },
    async rows(table, options = {}, orderBy = "ALL") {
      const plan = await planScan({ env, table, ...options });
      return connection.rows(`SELECT * FROM (${await scanSql(plan, { store })}) ORDER BY ${orderBy}`);
    },
    async close() {
      connection.close();
      kernel.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
