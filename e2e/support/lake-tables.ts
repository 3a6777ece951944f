/** Reads whole tables of a running lake by libs/lake, beside its services. */
import type { TableDefinition } from "@firn/core";
import { datasets } from "@firn/datasets";
import { definedIdentifier, loadTable, openKernel, openLake, planScan, scanSql } from "@firn/lake";
import { defineSettings, lakeAccessSettings, s3SettingsOf } from "@firn/service/environment";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface LakeTables {
  /** The five tables of the health lake. */
  readonly definitions: readonly TableDefinition[];
  rows<T extends object>(definition: TableDefinition, columns?: readonly string[]): Promise<T[]>;
  close(): void;
}

/** @param dataDir folder of a running standalone */
export async function openLakeTables(dataDir: string): Promise<LakeTables> {
  const endpoints = JSON.parse(readFileSync(join(dataDir, "endpoints.json"), "utf8")) as {
    catalog: string;
    warehouse: string;
  };
  const access = defineSettings(lakeAccessSettings).parse(process.env);
  const env = await openLake({
    ...access,
    s3: s3SettingsOf(access),
    catalogUri: endpoints.catalog,
    warehouse: endpoints.warehouse,
  });
  const kernel = await openKernel({ memoryLimitMb: 512, threads: 1, tempDir: join(dataDir, "reader") });
  const connection = await kernel.connect();
  const health = datasets.get("health");
  if (!health) throw new Error("no health lake");
  return {
    definitions: [health.raw, health.errors, ...health.rollups.map((rollup) => rollup.table)],
    async rows<T extends object>(definition: TableDefinition, columns?: readonly string[]) {
      const plan = await planScan({ env, table: await loadTable(env, definedIdentifier(definition)) });
      return connection.rows<T>(await scanSql(plan, { store: env.store, ...(columns ? { columns } : {}) }));
    },
    close() {
      connection.close();
      kernel.close();
    },
  };
}
