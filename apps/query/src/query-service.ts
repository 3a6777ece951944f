import type { Dataset, QuestionPlanner } from "@firn/core";
import { createDatasets } from "@firn/datasets";
import { openKernel, openLake, type LakeEnvironment } from "@firn/lake";
import {
  guardRequests,
  openApiModule,
  openGuard,
  lakeOptionsOf,
  type ServiceContext,
  type ServiceDefinition,
  type ServiceParts,
} from "@firn/service";
import { connectStreams } from "@firn/stream";
import { Module, type DynamicModule } from "@nestjs/common";
import { join } from "node:path";
import { querySettings, type QuerySettings } from "./config.ts";
import { openApiDocument } from "./http/openapi.ts";
import { PipelineController } from "./http/pipeline-controller.ts";
import { QuestionsController } from "./http/questions-controller.ts";
import { PIPELINE, QUESTION_SERVICE } from "./http/tokens.ts";
import { marketPlanners } from "./market/planners.ts";
import { backtestRecorder } from "./market/record-backtest.ts";
import { natsStage } from "./nats/nats-stage.ts";
import { Freshness } from "./pipeline/freshness.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import { StreamLink } from "./pipeline/stream-link.ts";
import { answerMetrics, pipelineMetrics } from "./query-metrics.ts";
import { PlanSession, type PlanSessionParts } from "./questions/plan-session.ts";
import { QuestionService } from "./questions/question-service.ts";
import { ResultCache } from "./questions/result-cache.ts";
import { openRelations, type Relations } from "./relations.ts";
import { Footers } from "./tables/footers.ts";
import { KernelPool } from "./tables/kernel-pool.ts";
import { TableCache } from "./tables/table-cache.ts";

@Module({})
class QueryModule {}

/** Answers questions from the tables and tells how far the pipeline is. */
export const queryService: ServiceDefinition<QuerySettings> = {
  name: "query",
  summary: "answers questions about the lakes over HTTP and NATS",
  port: 4200,
  settings: querySettings,
  async setup(context) {
    return assemble(context, await openLake(lakeOptionsOf("query", context)));
  },
};

/** The service over an open lake. */
export async function assemble(context: ServiceContext<QuerySettings>, env: LakeEnvironment): Promise<ServiceParts> {
  const { settings, log, version } = context;
  const guard = openGuard({ ...settings, log });
  const link = new StreamLink({
    connect: (signal) =>
      connectStreams({ url: settings.natsUrl, name: "query", replicas: settings.streamReplicas, signal }),
    shards: settings.shards,
    replicas: settings.streamReplicas,
    log,
  });
  const tables = new TableCache(env);
  const kernel = await openKernel({
    memoryLimitMb: Math.round(settings.memoryBytes / 1024 ** 2),
    threads: 1,
    tempDir: join(settings.dataDir, "query", "spill"),
  });
  const pool = await KernelPool.open(kernel, settings);
  const datasets = createDatasets(settings);
  const pipelineParts = { link, tables, datasets: [...datasets.values()] };
  const freshness = new Freshness(pipelineParts);
  const results = new ResultCache(settings.cacheValuesMax);
  const reading: PlanSessionParts = {
    env,
    tables,
    pool,
    footers: new Footers(env.store),
    results,
    completeThrough: (table) => freshness.completeThrough(table),
  };
  const relations = openRelations(settings.databaseUrl);
  const planners = plannersOf(context, { datasets, reading, relations, link });
  const answered = answerMetrics(context.metrics);
  const questions = new QuestionService({ ...reading, datasets, relations, planners, answered });
  const nats = natsStage({ url: settings.natsUrl, questions, log });
  watch(context, { env, link, nats, pool, results });
  const pipeline = new Pipeline(pipelineParts);
  pipelineMetrics(context.metrics, { pipeline, freshness, datasets: pipelineParts.datasets });
  return {
    modules: [queryModule(questions, pipeline), openApiModule(openApiDocument(version, questions.questions.all))],
    stages: [link, nats],
    configureHttp(fastify) {
      if (guard !== undefined) guardRequests(fastify, guard, () => ["query"]);
    },
    onClose: async () => {
      pool.close();
      kernel.close();
      await relations.close();
    },
  };
}

interface PlanningSources {
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly reading: PlanSessionParts;
  readonly relations: Relations;
  readonly link: StreamLink;
}

/** How the questions are planned whose datasets leave it to this service: those of the market lake. */
function plannersOf(
  { settings, log }: ServiceContext<QuerySettings>,
  { datasets, reading, relations, link }: PlanningSources,
): Readonly<Record<string, QuestionPlanner>> {
  const { benchmark, growthSeries, shards } = settings;
  return marketPlanners({
    relations,
    choices: { benchmark, growthSeries, priceIndexSeries: "CPIAUCSL" },
    recordBacktest: backtestRecorder({
      datasets,
      shards,
      relations,
      intake: () => link.streams().intake,
      session: () => new PlanSession(reading, {}),
      recordsAll: settings.recordBacktests === "all",
      nowMs: Date.now,
      log,
    }),
  });
}

interface Watched {
  readonly env: LakeEnvironment;
  readonly link: StreamLink;
  readonly nats: ReturnType<typeof natsStage>;
  readonly pool: KernelPool;
  readonly results: ResultCache;
}

/** Readiness and metrics. */
function watch({ health, metrics }: ServiceContext<QuerySettings>, { env, link, nats, pool, results }: Watched): void {
  health.addCheck("broker", () => (link.isConnected() ? undefined : "the broker is not connected"));
  health.addCheck("nats-questions", () => (nats.isListening() ? undefined : "questions are not answered on nats yet"));
  health.addCheck("catalog", async () => void (await env.catalog.config()));
  metrics.gauge({
    name: "query_running",
    help: "Questions that read files now.",
    collect: (gauge) => gauge.set(pool.running),
  });
  metrics.gauge({
    name: "query_waiting",
    help: "Questions that wait for their turn.",
    collect: (gauge) => gauge.set(pool.waiting),
  });
  metrics.gauge({
    name: "query_cache_hits",
    help: "Answers that came from the cache since the start: the same question on the same snapshots.",
    collect: (gauge) => gauge.set(results.hits),
  });
  metrics.gauge({
    name: "query_cache_misses",
    help: "Answers that were looked for in the cache and not found since the start.",
    collect: (gauge) => gauge.set(results.misses),
  });
}

function queryModule(questions: QuestionService, pipeline: Pipeline): DynamicModule {
  return {
    module: QueryModule,
    controllers: [PipelineController, QuestionsController],
    providers: [
      { provide: QUESTION_SERVICE, useValue: questions },
      { provide: PIPELINE, useValue: pipeline },
    ],
  };
}
