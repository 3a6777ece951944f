/**
 * The aggregator as a whole: connects, and runs a stage for every dataset with rollups.
 */
import { type Dataset, refuseNewer } from "@firn/core";
import { type LakeEnvironment, openKernel } from "@firn/lake";
import { runTogether, type ServiceContext, type Stage, untilPossible } from "@firn/service";
import { rollupLog, type StreamConnection, validatedLog } from "@firn/stream";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AggregatorStage } from "./aggregator-stage.ts";
import { backlogOf } from "./backlog.ts";
import type { AggregatorSettings } from "./config.ts";
import type { RebuildRequest } from "./rebuild.ts";
import { createRoundMetrics } from "./round-metrics.ts";

export interface AggregatorOptions {
  readonly context: ServiceContext<AggregatorSettings>;
  readonly datasets: readonly Dataset[];
  connectStreams(signal: AbortSignal): Promise<StreamConnection>;
  openLake(): Promise<LakeEnvironment>;
}

export class Aggregator implements Stage {
  readonly #options: AggregatorOptions;
  #notReady: string | undefined = "starting";

  constructor(options: AggregatorOptions) {
    this.#options = options;
  }

  whyNotReady(): string | undefined {
    return this.#notReady;
  }

  async run(signal: AbortSignal): Promise<void> {
    const opened = await untilPossible(signal, this.#options.context.log, () => this.#open(signal));
    if (opened === undefined) return;
    this.#notReady = undefined;
    try {
      await runTogether(opened.stages, signal);
      // Without a dataset to aggregate it still answers until it is ended.
      if (!signal.aborted) await once(signal, "abort");
    } finally {
      await opened.close();
    }
  }

  async #open(signal: AbortSignal) {
    const env = await this.#options.openLake();
    const connection = await this.#options.connectStreams(signal);
    try {
      return await this.#openStages(env, connection);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async #openStages(env: LakeEnvironment, connection: StreamConnection) {
    const { context, datasets } = this.#options;
    const { settings, log, metrics } = context;
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
    for (const dataset of datasets) {
      if (dataset.rollups.length === 0) {
        log.debug("no rollups: nothing to aggregate", { dataset: dataset.name });
        continue;
      }
      const stage = await AggregatorStage.open({
        env,
        kernel,
        dataset,
        log: rollups,
        streams: connection,
        defaultZone: settings.defaultZone,
        folder: join(folder, dataset.name),
        logger: log,
        tracer: context.tracer,
        backlog: (raw) => backlogOf(validated, dataset, raw),
        rounded: (report) => roundMetrics.rounded(dataset.name, report),
      });
      roundMetrics.watchLag(dataset.name, (nowMs) => stage.lagSeconds(nowMs));
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

interface AddressedTo {
  /** Of the request's shape; 1 where it is missing. */
  readonly v?: number;
  readonly dataset: string;
}

/** Carries out the requests of `firn rebuild`. Returns what ends it. */
function answerRebuilds(connection: StreamConnection, stages: ReadonlyMap<string, AggregatorStage>): () => void {
  return connection.reply("aggregator.rebuild", { queue: "aggregator" }, async (data) => {
    const { v, ...request } = JSON.parse(Buffer.from(data).toString("utf8")) as RebuildRequest & AddressedTo;
    refuseNewer("the request of firn rebuild", v, 1);
    const stage = stages.get(request.dataset);
    if (!stage) throw new Error(`no dataset ${request.dataset} with rollups`);
    return Buffer.from(JSON.stringify(await stage.rebuild(request)));
  });
}
