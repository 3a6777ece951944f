import type { Relations } from "@firn/core";
import { openKernel } from "@firn/lake";
import { tempFolder } from "@firn/testing";
import { join } from "node:path";
import { jsonBody } from "../../apps/query/src/answers/answer-form.ts";
import { openRelations } from "../../apps/query/src/relations.ts";
import { QuestionService } from "../../apps/query/src/questions/question-service.ts";
import { ResultCache } from "../../apps/query/src/questions/result-cache.ts";
import { Footers } from "../../apps/query/src/tables/footers.ts";
import { KernelPool } from "../../apps/query/src/tables/kernel-pool.ts";
import { TableCache } from "../../apps/query/src/tables/table-cache.ts";
import type { InProcessLake } from "./in-process-lake.ts";

export interface AnswerBody<Data = readonly Record<string, unknown>[]> {
  readonly data: Data;
  readonly meta: { readonly tables: Readonly<Record<string, unknown>> };
  readonly page: { readonly cursor: string | null };
  readonly stats: { readonly rows: number; readonly bytes_read: number };
}

/** The query service's own questions over the lake of one process, without HTTP, NATS or streams. */
export interface AskedLake {
  readonly questions: QuestionService["questions"];
  /** @param path as HTTP has it, `/api/sales/revenue` */
  ask<Data = readonly Record<string, unknown>[]>(
    path: string,
    parameters?: Record<string, unknown>,
  ): Promise<AnswerBody<Data>>;
  close(): Promise<void>;
}

/**
 * @param relations PostgreSQL, for a lake whose questions ask it
 * @param cacheValuesMax of the result cache; 0: every question reads its files
 */
export async function askedLake(
  { env, dataset }: InProcessLake,
  relations: Relations = openRelations(undefined),
  cacheValuesMax = 1_000_000,
): Promise<AskedLake> {
  const folder = await tempFolder("asked");
  const kernel = await openKernel({ memoryLimitMb: 256, threads: 1, tempDir: join(folder.path, "spill") });
  const pool = await KernelPool.open(kernel, { concurrency: 1, waitingMax: 10, timeoutMs: 20_000 });
  const service = new QuestionService({
    env,
    tables: new TableCache(env),
    pool,
    footers: new Footers(env.store),
    results: new ResultCache(cacheValuesMax),
    datasets: new Map([[dataset.name, dataset]]),
    relations,
    completeThrough: () => Promise.resolve(null),
  });
  return {
    questions: service.questions,
    ask: async (path, parameters = {}) => {
      const [match] = service.questions.ofPath(path);
      if (!match) throw new Error(`there is no question ${path}`);
      return JSON.parse(jsonBody(await service.ask(match.question, parameters))) as never;
    },
    close: async () => {
      pool.close();
      kernel.close();
      await folder.remove();
    },
  };
}
