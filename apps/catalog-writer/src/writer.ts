/**
 * The writer as a whole: connects, makes what is missing, and runs a stage for each table that rows go into.
 */
import { acceptedSubject, type Dataset, rejectedSubject } from "@firn/core";
import { type Kernel, type LakeEnvironment, openKernel } from "@firn/lake";
import { Parking, runTogether, type ServiceContext, type Stage, untilPossible } from "@firn/service";
import { intakeLog, type Log, rollupLog, STATE_BUCKET, type StreamConnection, validatedLog } from "@firn/stream";
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { defaultCadence } from "./cadence.ts";
import { CommitQueue } from "./commit-queue.ts";
import type { WriterSettings } from "./config.ts";
import { KeyIndex } from "./key-index.ts";
import type { KeyedTableOptions } from "./keyed-table.ts";
import { KnownTables } from "./known-tables.ts";
import { answerMaintain } from "./maintain-reply.ts";
import { Maintenance } from "./maintenance.ts";
import { RollupStage } from "./rollup-stage.ts";
import { TableStage } from "./table-stage.ts";
import { tablesOf } from "./tables.ts";
import { WorkBudget } from "./work-budget.ts";
import type { WriterMetrics } from "./writer-metrics.ts";

/** Rows that are written at the same time; larger work runs alone. */
const rowsAtOnceMax = 200_000;

export interface WriterOptions {
  readonly context: ServiceContext<WriterSettings>;
  readonly datasets: readonly Dataset[];
  readonly metrics: WriterMetrics;
  connectStreams(signal: AbortSignal): Promise<StreamConnection>;
  openLake(): Promise<LakeEnvironment>;
}

export class Writer implements Stage {
  readonly #options: WriterOptions;
  #notReady: string | undefined = "starting";

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Why it does not write now; undefined when it does. */
  whyNotReady(): string | undefined {
    return this.#notReady;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { context } = this.#options;
    const opened = await untilPossible(signal, context.log, () => this.#open(signal));
    if (opened === undefined) return;
    const { connection, close, stages } = opened;
    this.#notReady = undefined;
    context.health.addCheck("broker", () => (connection.isConnected() ? undefined : "the broker is away"));
    try {
      await runTogether(stages, signal);
    } finally {
      await close();
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
    const { settings, log, health } = context;
    const { shards, streamReplicas: replicas } = settings;
    // The stream knows the lake's number of shards: with another one, messages would be left unread.
    await connection.openLog(intakeLog({ shards, replicas }));
    const validated = await connection.openLog(validatedLog({ replicas }));
    const rollups = await connection.openLog(rollupLog({ replicas }));
    const state = await connection.attempts(STATE_BUCKET);
    const known = new KnownTables(env, state);
    for (const dataset of datasets) {
      const made = await known.makeFirst(dataset);
      if (made.length > 0) log.info("tables made", { tables: made });
    }
    const parking = new Parking("catalog-writer", state, log);
    health.addCheck("parked", () => parking.whyNotReady());
    const folder = join(settings.dataDir, "catalog-writer");
    rmSync(join(folder, "spool"), { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const kernel = await openKernel({
      memoryLimitMb: Math.round(settings.memoryBytes / 1024 ** 2),
      threads: 1,
      tempDir: join(folder, "spill"),
    });
    const parts = {
      env,
      connection,
      validated,
      rollups,
      known,
      parking,
      folder,
      kernel,
      writerEpoch: randomUUID(),
      budget: new WorkBudget(rowsAtOnceMax),
    };
    const stages: Stage[] = [];
    const indexes: KeyIndex[] = [];
    const maintenances = new Map<string, Maintenance>();
    for (const dataset of datasets) {
      const ofDataset = await this.#datasetStages(dataset, parts, indexes);
      stages.push(...ofDataset.stages, ofDataset.maintenance);
      maintenances.set(dataset.name, ofDataset.maintenance);
    }
    const endReplies = answerMaintain(connection, maintenances);
    const close = async () => {
      endReplies();
      for (const index of indexes) await index.close();
      await connection.close();
      kernel.close();
    };
    return { connection, close, stages };
  }

  async #datasetStages(
    dataset: Dataset,
    parts: Parts,
    indexes: KeyIndex[],
  ): Promise<{ stages: Stage[]; maintenance: Maintenance }> {
    const { context, metrics } = this.#options;
    const { settings, log } = context;
    const { connection, env, kernel, parking, folder } = parts;
    const queues = new Map(tablesOf(dataset).map((definition) => [definition.name, new CommitQueue(parts.budget)]));
    const queueOf = (table: string) => queues.get(table) ?? new CommitQueue(parts.budget);
    const hint = (subject: string) => connection.publishHint(subject, new Uint8Array());
    const shards = Array.from({ length: settings.shards }, (_, shard) => shard);
    const limits = {
      ...defaultCadence,
      intervalMinMs: settings.commitIntervalMinMs,
      intervalMaxMs: settings.commitIntervalMaxMs,
      bytesMax: settings.batchBytesMax,
    };
    const stages: Stage[] = [];
    const keyed = [
      {
        kind: "accepted",
        definition: dataset.raw,
        identity: dataset.identity,
        content: dataset.content,
        subject: acceptedSubject,
        countAs: "stored",
      },
      {
        kind: "rejected",
        definition: dataset.errors,
        identity: dataset.errors.identity,
        content: [],
        subject: rejectedSubject,
        countAs: "rejected",
      },
    ] as const;
    const maintenance = new Maintenance({
      env,
      connection: await kernel.connect(),
      logger: log,
      intervalMs: settings.maintenanceIntervalMs,
      queueOf,
      metrics,
    });
    for (const { kind, definition, identity, content, subject, countAs } of keyed) {
      const index = KeyIndex.open(join(folder, "index", definition.name));
      indexes.push(index);
      const table: KeyedTableOptions = {
        env,
        connection: await kernel.connect(),
        index,
        definition,
        identity,
        content,
        identifier: { namespace: definition.namespace.split("."), name: definition.name },
        stream: parts.validated.stream,
        subjects: shards.map((shard) => subject(dataset.name, shard)),
        writerEpoch: parts.writerEpoch,
        newRowsCountAs: countAs,
      };
      const stage = new TableStage({
        name: `${dataset.name}.${kind}`,
        kind,
        log: parts.validated,
        table,
        known: parts.known,
        loadConnection: await kernel.connect(),
        queue: queueOf(definition.name),
        parking,
        limits,
        folder: join(folder, "spool"),
        logger: log,
        hint,
        committed: (_, report, durationMs) => metrics.committed(definition.name, report, durationMs),
      });
      const aggregates = kind === "accepted" ? dataset.rollups.map((rollup) => rollup.table) : [];
      maintenance.watchKeyed(definition, stage, aggregates);
      stages.push(stage);
    }
    if (dataset.rollups.length === 0) return { stages, maintenance };
    const rollupStage = new RollupStage({
      env,
      connection: await kernel.connect(),
      dataset,
      log: parts.rollups,
      known: parts.known,
      queueOf,
      parking,
      writerEpoch: parts.writerEpoch,
      logger: log,
      hint,
      committed: (table, filesAdded, durationMs) =>
        metrics.rollupCommitted(table.identifier.name, filesAdded, durationMs),
    });
    maintenance.watchRollups(dataset);
    return { stages: [...stages, rollupStage], maintenance };
  }
}

interface Parts {
  readonly env: LakeEnvironment;
  readonly connection: StreamConnection;
  readonly validated: Log;
  readonly rollups: Log;
  readonly known: KnownTables;
  readonly parking: Parking;
  readonly folder: string;
  readonly kernel: Kernel;
  readonly writerEpoch: string;
  readonly budget: WorkBudget;
}
