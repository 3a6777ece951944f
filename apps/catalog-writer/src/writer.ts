/**
 * The writer as a whole: connects, makes what is missing, and runs a stage for each table that falls to it among the
 * writers.
 */
import type { Dataset } from "@firn/core";
import { type LakeEnvironment, openKernel } from "@firn/lake";
import {
  closedOnFailure,
  type Membership,
  type OpenedWork,
  Parking,
  runTogether,
  type ServiceContext,
  SharedWork,
} from "@firn/service";
import { intakeLog, rollupLog, STATE_BUCKET, type StreamConnection, UnitShare, validatedLog } from "@firn/stream";
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type CadenceLimits, defaultCadence } from "./cadence.ts";
import type { WriterSettings } from "./config.ts";
import { openDatasetStages, type WriterParts } from "./dataset-stages.ts";
import { unitsOf } from "./dataset-units.ts";
import { KnownTables } from "./known-tables.ts";
import { answerMaintain, answerUpkeep } from "./maintain-reply.ts";
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

/** Makes what is missing, and writes the tables that fall to this process. */
export function createWriter(options: WriterOptions): SharedWork {
  return new SharedWork(options.context, async (signal, membership) => {
    const env = await options.openLake();
    const connection = await options.connectStreams(signal);
    return closedOnFailure(connection, async () =>
      openUnits(options, membership, await openParts(options, env, connection)),
    );
  });
}

async function openParts(
  { context, datasets, metrics }: WriterOptions,
  env: LakeEnvironment,
  connection: StreamConnection,
): Promise<WriterParts> {
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
  const folder = openFolder(settings.dataDir);
  const memoryLimitMb = Math.round(settings.memoryBytes / 1024 ** 2);
  const kernel = await openKernel({ memoryLimitMb, threads: 1, tempDir: join(folder, "spill") });
  return {
    ...settingsOfStages(settings),
    logger: log,
    tracer: context.tracer,
    metrics,
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
}

async function openUnits({ datasets }: WriterOptions, membership: Membership, parts: WriterParts): Promise<OpenedWork> {
  const { connection, kernel } = parts;
  const units = new Map(
    datasets.flatMap((dataset) => unitsOf(dataset).map((unit) => [nameOf(dataset, unit), { dataset, unit }])),
  );
  const share = await UnitShare.open({ connection, group: "catalog-writer", units: [...units.keys()], ...membership });
  const work = (name: string, signal: AbortSignal) => {
    const { dataset, unit } = units.get(name)!;
    return writeUnit(dataset, unit, parts, signal);
  };
  const endReplies = answerMaintain(
    connection,
    new Map(datasets.map((dataset) => [dataset.name, unitsOf(dataset).map((unit) => nameOf(dataset, unit))])),
  );
  const close = async () => {
    endReplies();
    await connection.close();
    kernel.close();
  };
  const checks = {
    share: () => share.whyNotReady(),
    broker: () => (connection.isConnected() ? undefined : "the broker is away"),
  };
  return { share, work, close, checks };
}

const nameOf = (dataset: Dataset, unit: string): string => `${dataset.name}.${unit}`;

/** Opens a unit's tables and writes them until the signal; the key index is brought to what others wrote meanwhile. */
async function writeUnit(dataset: Dataset, unit: string, parts: WriterParts, signal: AbortSignal): Promise<void> {
  const opened = await openDatasetStages(dataset, parts, [unit]);
  const endReplies = answerUpkeep(parts.connection, nameOf(dataset, unit), opened.maintenance);
  try {
    await runTogether(opened.stages, signal);
  } finally {
    endReplies();
    await opened.close();
  }
}

/** The writer's part of the data directory, without what an earlier process was loading. */
function openFolder(dataDir: string): string {
  const folder = join(dataDir, "catalog-writer");
  rmSync(join(folder, "spool"), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

function settingsOfStages(settings: WriterSettings) {
  const { shards, maintenanceIntervalMs, orphanAgeMs, defaultZone } = settings;
  return { shards, maintenanceIntervalMs, orphanAgeMs, defaultZone, limits: limitsOf(settings) };
}

function limitsOf(settings: WriterSettings): CadenceLimits {
  return {
    ...defaultCadence,
    intervalMinMs: settings.commitIntervalMinMs,
    intervalMaxMs: settings.commitIntervalMaxMs,
    bytesMax: settings.batchBytesMax,
  };
}
