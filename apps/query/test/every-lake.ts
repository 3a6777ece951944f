import type { QuestionDefinition } from "@firn/core";
import { tablesOf, type Dataset, type TableDefinition } from "@firn/core";
import { createDatasets } from "@firn/datasets";
import { openKernel } from "@firn/lake";
import { migrateDatabase } from "@firn/relational";
import { startPostgres } from "@firn/testing";
import { jsonBody } from "../src/answers/answer-form.ts";
import { marketPlanners } from "../src/market/planners.ts";
import { QuestionService } from "../src/questions/question-service.ts";
import { ResultCache } from "../src/questions/result-cache.ts";
import { openRelations, type Relations } from "../src/relations.ts";
import { Footers } from "../src/tables/footers.ts";
import { KernelPool } from "../src/tables/kernel-pool.ts";
import { TableCache } from "../src/tables/table-cache.ts";
import { smallLake, type Row, type SmallLake } from "./small-lake.ts";

export interface LakeAnswer {
  readonly data: unknown;
  readonly meta: { readonly tables: Record<string, { snapshot_id: string | null }> };
}

/** The tables of every dataset in one small lake, PostgreSQL beside them, and the service that answers from both. */
export interface EveryLake {
  readonly lake: SmallLake;
  readonly relations: Relations;
  readonly tables: readonly TableDefinition[];
  table(name: string): TableDefinition;
  ask(question: QuestionDefinition, parameters: Row): Promise<LakeAnswer>;
  close(): Promise<void>;
}

export async function everyLake(): Promise<EveryLake> {
  const datasets: ReadonlyMap<string, Dataset> = createDatasets();
  const tables = [...datasets.values()].flatMap((dataset) => tablesOf(dataset));
  const lake = await smallLake(tables);
  const postgres = await startPostgres({ dir: `${lake.folder}/postgres` });
  await migrateDatabase({ databaseUrl: postgres.databaseUrl, log: () => undefined });
  const relations = openRelations(postgres.databaseUrl);
  const kernel = await openKernel({ memoryLimitMb: 512, threads: 1, tempDir: `${lake.folder}/spill-query` });
  const pool = await KernelPool.open(kernel, { concurrency: 2, waitingMax: 100, timeoutMs: 60_000 });
  const service = new QuestionService({
    env: lake.env,
    tables: new TableCache(lake.env),
    pool,
    footers: new Footers(lake.env.store),
    results: new ResultCache(1_000_000),
    completeThrough: () => Promise.resolve(null),
    datasets,
    relations,
    planners: marketPlanners({
      relations,
      choices: { benchmark: "A", growthSeries: "USALOLITOAASTSAM", priceIndexSeries: "CPIAUCSL" },
      recordBacktest: () => Promise.resolve(null),
    }),
  });
  return {
    lake,
    relations,
    tables,
    table: (name) => tables.find((one) => one.name === name)!,
    ask: async (question, parameters) => JSON.parse(jsonBody(await service.ask(question, parameters))) as LakeAnswer,
    close: async () => {
      pool.close();
      kernel.close();
      await relations.close();
      await postgres.stop();
      await lake.close();
    },
  };
}
