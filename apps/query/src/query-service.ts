import { canonicalHealthType, createDatasets, datasetOptions, healthUnit } from "@firn/datasets";
import { openKernel, openLake, type LakeEnvironment } from "@firn/lake";
import { openApiModule, type ServiceContext, type ServiceDefinition, type ServiceParts } from "@firn/service";
import { connectStreams } from "@firn/stream";
import { Module, type DynamicModule } from "@nestjs/common";
import { join } from "node:path";
import { querySettings, type QuerySettings } from "./config.ts";
import { openApiDocument } from "./http/openapi.ts";
import { PipelineController } from "./http/pipeline-controller.ts";
import { QuestionsController } from "./http/questions-controller.ts";
import { PIPELINE, QUESTION_SERVICE } from "./http/tokens.ts";
import { natsStage } from "./nats/nats-stage.ts";
import { Freshness } from "./pipeline/freshness.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import { StreamLink } from "./pipeline/stream-link.ts";
import { QuestionService } from "./questions/question-service.ts";
import { ResultCache } from "./questions/result-cache.ts";
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
    const { settings } = context;
    const env = await openLake({ catalogUri: settings.catalogUri, warehouse: settings.warehouse });
    return assemble(context, env);
  },
};

/** The service over an open lake. */
export async function assemble(context: ServiceContext<QuerySettings>, env: LakeEnvironment): Promise<ServiceParts> {
  const { settings, log, version } = context;
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
  const datasets = createDatasets(datasetOptions(settings));
  const pipelineParts = { link, tables, datasets: [...datasets.values()] };
  const freshness = new Freshness(pipelineParts);
  const questions = new QuestionService({
    env,
    tables,
    pool,
    footers: new Footers(env.store),
    results: new ResultCache(settings.cacheValuesMax),
    datasets,
    canonicalType: canonicalHealthType,
    unitOfType: healthUnit,
    completeThrough: (table) => freshness.completeThrough(table),
  });
  const nats = natsStage({ url: settings.natsUrl, questions, log });
  watch(context, { env, link, nats, pool });
  return {
    modules: [queryModule(questions, new Pipeline(pipelineParts)), openApiModule(openApiDocument(version))],
    stages: [link, nats],
    onClose: async () => {
      pool.close();
      kernel.close();
    },
  };
}

interface Watched {
  readonly env: LakeEnvironment;
  readonly link: StreamLink;
  readonly nats: ReturnType<typeof natsStage>;
  readonly pool: KernelPool;
}

/** Readiness and metrics. */
function watch({ health, metrics }: ServiceContext<QuerySettings>, { env, link, nats, pool }: Watched): void {
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
