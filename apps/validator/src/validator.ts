import type { Dataset } from "@firn/core";
import { intakeSubject } from "@firn/core";
import {
  closedOnFailure,
  Parking,
  SharedWork,
  type Membership,
  type OpenedWork,
  type ServiceContext,
  type Stage,
} from "@firn/service";
import { intakeLog, STATE_BUCKET, UnitShare, validatedLog, type Log, type StreamConnection } from "@firn/stream";

import { parseOwnShards, type ValidatorSettings } from "./config.ts";
import { ShardStage } from "./shard-stage.ts";
import { loadPosition } from "./shard-position.ts";
import { createValidatorMetrics, type ShardLag, type ValidatorMetrics } from "./validator-metrics.ts";

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
}

/** Connects, makes the streams that are missing, and runs a stage for each shard that falls to it among the validators. */
export class Validator implements Stage {
  readonly #options: ValidatorOptions;
  readonly #metrics: ValidatorMetrics;
  /** A dataset's shard by its name among the units that validators share. */
  readonly #units: ReadonlyMap<string, { readonly dataset: Dataset; readonly shard: number }>;
  readonly #work: SharedWork;
  readonly #running = new Map<string, ShardStage>();
  #opened: Opened | undefined;

  constructor(options: ValidatorOptions) {
    const { ownShards, shards } = options.context.settings;
    this.#options = options;
    this.#metrics = createValidatorMetrics(options.context.metrics);
    this.#work = new SharedWork(options.context, async (signal, membership) =>
      closedOnFailure(await options.connect(signal), (connection) => this.#open(connection, membership)),
    );
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

  run(signal: AbortSignal): Promise<void> {
    return this.#work.run(signal);
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

  async #open(connection: StreamConnection, membership: Membership): Promise<OpenedWork> {
    const { settings, log, tracer } = this.#options.context;
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
    const share = await UnitShare.open({
      connection,
      group: "validator",
      units: [...this.#units.keys()],
      ...membership,
    });
    this.#opened = { connection, intake, validated, parking, share };
    return {
      share,
      work: (unit, ending) => {
        const stage = new ShardStage({ ...shared, ...this.#units.get(unit)! });
        this.#running.set(unit, stage);
        return stage.run(ending);
      },
      close: () => {
        this.#opened = undefined;
        return connection.close();
      },
    };
  }
}
