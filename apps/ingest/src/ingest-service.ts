import { datasets } from "@firn/datasets";
import { guardRequests, openApiModule, openGuard, type ServiceDefinition } from "@firn/service";
import { connectStreams, type StreamConnection } from "@firn/stream";
import { Module, type DynamicModule } from "@nestjs/common";
import { ByteBudget } from "./byte-budget.ts";
import { ingestSettings, type IngestSettings } from "./config.ts";
import { GroupCommit } from "./group-commit.ts";
import { IngestController, INGEST } from "./ingest-controller.ts";
import { createIngestMetrics } from "./ingest-metrics.ts";
import { Ingest } from "./ingest.ts";
import { Intake } from "./intake.ts";
import { kafkaStage } from "./kafka/kafka-stage.ts";
import { limitRequests } from "./limit-requests.ts";
import { ingestOpenApi } from "./openapi.ts";
import { RequestRate } from "./request-rate.ts";

/** Short: the service starts without the broker and keeps trying. */
const CONNECT_LIMIT_MS = 1_000;

@Module({})
class IngestModule {}

/** @param connect how to reach the broker; tests give an in-memory one */
export function defineIngestService(
  connect: (url: string) => Promise<StreamConnection>,
): ServiceDefinition<IngestSettings> {
  return {
    name: "ingest",
    summary: "takes events in by HTTP and answers when the broker has them on disk",
    port: 4100,
    settings: ingestSettings,
    async setup({ settings, log, metrics, health, tracer, version }) {
      const guard = openGuard({ ...settings, log });
      const { shards, intakeBytesMax: bytesMax, streamReplicas: replicas } = settings;
      const intake = new Intake(
        () => connect(settings.natsUrl),
        { shards, replicas, ...(bytesMax !== undefined && { bytesMax }) },
        log,
      );
      health.addCheck("intake", () => intake.whyNotReady());
      const budget = new ByteBudget(settings.heldBytesMax);
      const ingestMetrics = createIngestMetrics(metrics, budget);
      const commit = new GroupCommit((records) => intake.append(records), ingestMetrics.appended, tracer);
      const ingest = new Ingest({ datasets, shards, budget, commit, metrics: ingestMetrics, tracer });
      return {
        modules: [ingestModule(ingest), openApiModule(ingestOpenApi(datasets.values(), version))],
        stages: [intake, kafkaStage({ settings, datasets, intake, metrics, ingestMetrics, logger: log })],
        configureHttp(fastify) {
          if (guard !== undefined) guardRequests(fastify, guard, () => ["ingest"]);
          if (settings.requestsPerSecond !== undefined)
            limitRequests(fastify, new RequestRate(settings.requestsPerSecond), (code) => ingestMetrics.refused(code));
          // The controller reads the raw stream, so that limits and encodings are its own.
          fastify.removeAllContentTypeParsers();
          fastify.addContentTypeParser("*", (_request, _payload, done) => done(null));
        },
        onClose: () => intake.close(),
      };
    },
  };
}

export const ingestService = defineIngestService((url) =>
  connectStreams({ url, name: "ingest", connectLimitMs: CONNECT_LIMIT_MS }),
);

function ingestModule(ingest: Ingest): DynamicModule {
  return {
    module: IngestModule,
    controllers: [IngestController],
    providers: [{ provide: INGEST, useValue: ingest }],
  };
}
