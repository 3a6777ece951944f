import type { Dataset } from "@firn/core";
import { intakeSubject } from "@firn/core";
import { Parking, runTogether, untilPossible, type ServiceContext, type Stage } from "@firn/service";
import { intakeLog, STATE_BUCKET, validatedLog, type Log, type StreamConnection } from "@firn/stream";

import { parseOwnShards, type ValidatorSettings } from "./config.ts";
import { ShardStage } from "./shard-stage.ts";
import { loadPosition } from "./shard-position.ts";
import { createValidatorMetrics, type ValidatorMetrics } from "./validator-metrics.ts";

export interface ValidatorOptions {
  readonly context: ServiceContext<ValidatorSettings>;
  readonly datasets: readonly Dataset[];
  connect(signal: AbortSignal): Promise<StreamConnection>;
}

interface Opened {
  readonly connection: StreamConnection;
  readonly intake: Log;
  readonly validated: Log;
  readonly parking: Parking;
  readonly stages: readonly ShardStage[];
}

/** Connects, makes the streams that are missing, and runs a stage for every dataset and own shard. */
export class Validator implements Stage {
  readonly #options: ValidatorOptions;
  readonly #ownShards: readonly number[];
  readonly #metrics: ValidatorMetrics;
  #opened: Opened | undefined;

  constructor(options: ValidatorOptions) {
    const { ownShards, shards } = options.context.settings;
    this.#options = options;
    this.#metrics = createValidatorMetrics(options.context.metrics);
    this.#ownShards = parseOwnShards(ownShards, shards);
  }

  /** Why it does not validate everything now; undefined when it does. */
  whyNotReady(): string | undefined {
    if (this.#opened === undefined) return "the streams are not open yet";
    if (!this.#opened.connection.isConnected()) return "the broker is away";
    return this.#opened.parking.whyNotReady();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#options.context;
    const opened = await untilPossible(signal, log, () => this.#open(signal));
    if (opened === undefined) return;
    this.#opened = opened;
    try {
      await runTogether(opened.stages, signal);
    } finally {
      this.#opened = undefined;
      await opened.connection.close();
    }
  }

  /** Messages of INTAKE that wait to be validated, by dataset and shard; nothing while the broker is away. */
  async lag(): Promise<readonly { dataset: string; shard: number; messages: number }[]> {
    if (this.#opened === undefined) return [];
    const { intake, validated } = this.#opened;
    const places = this.#options.datasets.flatMap((dataset) => this.#ownShards.map((shard) => ({ dataset, shard })));
    return Promise.all(
      places.map(async ({ dataset, shard }) => {
        const { inputSequence } = await loadPosition(validated, dataset.name, shard);
        const messages = await intake.pending([intakeSubject(dataset.name, shard)], inputSequence);
        return { dataset: dataset.name, shard, messages };
      }),
    );
  }

  async #open(signal: AbortSignal): Promise<Opened> {
    const { context, datasets } = this.#options;
    const { settings, log } = context;
    const connection = await this.#options.connect(signal);
    try {
      const { shards, streamReplicas: replicas } = settings;
      const intake = await connection.openLog(intakeLog({ shards, replicas }));
      const validated = await connection.openLog(validatedLog({ replicas }));
      const attempts = await connection.attempts(STATE_BUCKET);
      const parking = new Parking("validator", attempts, log);
      const shared = {
        intake,
        validated,
        attempts,
        parking,
        logger: log,
        metrics: this.#metrics,
        validation: { strict: settings.mode === "strict", defaultZone: settings.defaultZone },
        runBytesMax: settings.runBytesMax,
        trim: { keepMs: settings.keepMs, keepBytes: settings.keepBytes },
      };
      const stages = datasets.flatMap((dataset) =>
        this.#ownShards.map((shard) => new ShardStage({ ...shared, dataset, shard })),
      );
      return { connection, intake, validated, parking, stages };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }
}
