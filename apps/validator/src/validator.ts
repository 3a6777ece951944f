import type { Dataset } from "@firn/core";
import { intakeSubject } from "@firn/core";
import { memberName, Parking, shareMetrics, untilPossible, type ServiceContext, type Stage } from "@firn/service";
import { intakeLog, STATE_BUCKET, UnitShare, validatedLog, type Log, type StreamConnection } from "@firn/stream";

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
  readonly share: UnitShare;
  readonly stageOf: (dataset: Dataset, shard: number) => ShardStage;
}

/** What waits to be validated. */
export interface ShardLag {
  readonly dataset: string;
  readonly shard: number;
  readonly messages: number;
  /** How long the oldest of them waits. */
  readonly seconds: number;
}

/** Connects, makes the streams that are missing, and runs a stage for each shard that falls to it among the validators. */
export class Validator implements Stage {
  readonly #options: ValidatorOptions;
  readonly #metrics: ValidatorMetrics;
  /** A dataset's shard by its name among the units that validators share. */
  readonly #units: ReadonlyMap<string, { readonly dataset: Dataset; readonly shard: number }>;
  readonly #shared: (held: readonly string[], members: readonly string[]) => void;
  readonly #running = new Map<string, ShardStage>();
  #opened: Opened | undefined;

  constructor(options: ValidatorOptions) {
    const { ownShards, shards } = options.context.settings;
    this.#options = options;
    this.#metrics = createValidatorMetrics(options.context.metrics);
    this.#shared = shareMetrics(options.context.metrics, options.context.log);
    const own = parseOwnShards(ownShards, shards);
    const places = options.datasets.flatMap((dataset) => own.map((shard) => ({ dataset, shard })));
    this.#units = new Map(places.map((place) => [`${place.dataset.name}.${place.shard}`, place]));
  }

  /** Why it does not validate everything that falls to it; undefined when it does, be it nothing. */
  whyNotReady(): string | undefined {
    if (this.#opened === undefined) return "the streams are not open yet";
    if (!this.#opened.connection.isConnected()) return "the broker is away";
    return this.#opened.share.whyNotReady() ?? this.#opened.parking.whyNotReady();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#options.context;
    const opened = await untilPossible(signal, log, () => this.#open(signal));
    if (opened === undefined) return;
    this.#opened = opened;
    try {
      await opened.share.run(signal, (unit, ending) => {
        const { dataset, shard } = this.#units.get(unit)!;
        const stage = opened.stageOf(dataset, shard);
        this.#running.set(unit, stage);
        return stage.run(ending);
      });
    } finally {
      this.#opened = undefined;
      await opened.connection.close();
    }
  }

  /** Messages of INTAKE that wait to be validated here, by dataset and shard; nothing while the broker is away. */
  async lag(): Promise<readonly ShardLag[]> {
    if (this.#opened === undefined) return [];
    const { intake, share, validated } = this.#opened;
    return Promise.all(
      share.held.map(async (unit) => {
        const { dataset, shard } = this.#units.get(unit)!;
        const { inputSequence } = await loadPosition(validated, dataset.name, shard);
        const messages = await intake.pending([intakeSubject(dataset.name, shard)], inputSequence);
        const seconds = this.#running.get(unit)?.lagSeconds(messages, Date.now()) ?? 0;
        return { dataset: dataset.name, shard, messages, seconds };
      }),
    );
  }

  async #open(signal: AbortSignal): Promise<Opened> {
    const { settings, log, tracer } = this.#options.context;
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
        tracer,
        metrics: this.#metrics,
        validation: { strict: settings.mode === "strict", defaultZone: settings.defaultZone },
        runBytesMax: settings.runBytesMax,
        trim: { keepMs: settings.keepMs, keepBytes: settings.keepBytes },
      };
      const stageOf = (dataset: Dataset, shard: number) => new ShardStage({ ...shared, dataset, shard });
      return { connection, intake, validated, parking, share: await this.#openShare(connection), stageOf };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  #openShare(connection: StreamConnection): Promise<UnitShare> {
    const { settings } = this.#options.context;
    return UnitShare.open({
      connection,
      group: "validator",
      member: memberName(settings),
      units: [...this.#units.keys()],
      leaseMs: settings.leaseMs,
      changed: this.#shared,
    });
  }
}
