import { createDatasets, datasetOptions } from "@firn/datasets";
import { openKernel, openLake } from "@firn/lake";
import { runTogether, type ServiceDefinition, type ServiceContext, type Stage, untilPossible } from "@firn/service";
import { connectStreams, rollupLog, type StreamConnection, validatedLog } from "@firn/stream";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { backlogOf } from "./backlog.ts";
import { AggregatorStage, type RebuildRequest } from "./aggregator-stage.ts";
import { createRoundMetrics } from "./round-metrics.ts";
import { type AggregatorSettings, aggregatorSettings } from "./config.ts";

export const aggregatorService: ServiceDefinition<AggregatorSettings> = {
  name: "aggregator",
  summary: "keeps the rollups of days, weeks and months equal to raw",
  port: 4302,
  settings: aggregatorSettings,
  async setup(context) {
    const aggregator = new Aggregator(context);
    context.health.addCheck("aggregator", () => aggregator.whyNotReady());
    return { stages: [aggregator] };
  },
};

/** Connects, and runs a stage for every dataset with rollups. */
class Aggregator implements Stage {
  readonly #context: ServiceContext<AggregatorSettings>;
  #notReady: string | undefined = "starting";

  constructor(context: ServiceContext<AggregatorSettings>) {
    this.#context = context;
  }

  whyNotReady(): string | undefined {
    return this.#notReady;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#context;
    const opened = await untilPossible(signal, log, () => this.#open(signal));
    if (opened === undefined) return;
    this.#notReady = undefined;
    try {
      await runTogether(opened.stages, signal);
    } finally {
      await opened.close();
    }
  }

  async #open(signal: AbortSignal) {
    const { settings, log, metrics } = this.#context;
    const env = await openLake({ catalogUri: settings.catalogUri, warehouse: settings.warehouse });
    const connection = await connectStreams({
      url: settings.natsUrl,
      name: "aggregator",
      replicas: settings.streamReplicas,
      signal,
    });
    const { streamReplicas: replicas } = settings;
    const rollups = await connection.openLog(rollupLog({ replicas }));
    const validated = await connection.openLog(validatedLog({ replicas }));
    const folder = join(settings.dataDir, "aggregator");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const kernel = await openKernel({
      memoryLimitMb: Math.round(settings.memoryBytes / 1024 ** 2),
      threads: 1,
      tempDir: join(folder, "spill"),
    });
    const roundMetrics = createRoundMetrics(metrics);
    const stages = new Map<string, AggregatorStage>();
    for (const dataset of createDatasets(datasetOptions(settings)).values()) {
      if (!dataset.rollups.some((rollup) => rollup.period === "day")) {
        log.debug("no rollup of days: nothing to aggregate", { dataset: dataset.name });
        continue;
      }
      const stage = new AggregatorStage({
        env,
        connection: await kernel.connect(),
        dataset,
        log: rollups,
        streams: connection,
        defaultZone: settings.defaultZone,
        folder: join(folder, dataset.name),
        logger: log,
        backlog: (raw) => backlogOf(validated, dataset, raw),
        rounded: (report) => roundMetrics.rounded(dataset.name, report),
      });
      stages.set(dataset.name, stage);
    }
    const endReplies = answerRebuilds(connection, stages);
    const close = async () => {
      endReplies();
      await connection.close();
      kernel.close();
    };
    return { stages: [...stages.values()], close };
  }
}

/** Carries out the requests of `firn rebuild`. Returns what ends it. */
function answerRebuilds(connection: StreamConnection, stages: ReadonlyMap<string, AggregatorStage>): () => void {
  return connection.reply("aggregator.rebuild", { queue: "aggregator" }, async (data) => {
    const request = JSON.parse(Buffer.from(data).toString("utf8")) as RebuildRequest & { dataset: string };
    const stage = stages.get(request.dataset);
    if (!stage) throw new Error(`no dataset ${request.dataset}`);
    return Buffer.from(JSON.stringify(await stage.rebuild(request)));
  });
}
