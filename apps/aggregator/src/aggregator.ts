/**
 * The aggregator as a whole: connects, and runs a stage for each lane of rollups that falls to it among the aggregators.
 */
import { type Dataset, type RebuildReport, refuseNewer, type RollupLane, rollupLanes } from "@firn/core";
import { type KernelConnection, type LakeEnvironment, openKernel } from "@firn/lake";
import { closedOnFailure, type Membership, type OpenedWork, type ServiceContext, SharedWork } from "@firn/service";
import { askUnit, rollupLog, type StreamConnection, UnitShare, validatedLog } from "@firn/stream";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { backlogOf } from "./backlog.ts";
import type { AggregatorSettings } from "./config.ts";
import { LaneStage } from "./lane-stage.ts";
import { rebuildLanes } from "./rebuild-lanes.ts";
import type { RebuildRequest } from "./rebuild.ts";
import { createRoundMetrics, type RoundMetrics } from "./round-metrics.ts";

const rebuildSubject = "aggregator.rebuild";
/** Who asked has a limit of his own. */
const laneRebuildMsMax = 6 * 3_600_000;

export interface AggregatorOptions {
  readonly context: ServiceContext<AggregatorSettings>;
  readonly datasets: readonly Dataset[];
  connectStreams(signal: AbortSignal): Promise<StreamConnection>;
  openLake(): Promise<LakeEnvironment>;
}

/** Runs a stage for each lane that falls to this process. */
export function createAggregator(options: AggregatorOptions): SharedWork {
  // Made once: the lake is opened again where the first try fails.
  const metrics = createRoundMetrics(options.context.metrics);
  return new SharedWork(options.context, async (signal, membership) => {
    const env = await options.openLake();
    const connection = await options.connectStreams(signal);
    return closedOnFailure(connection, () => openLanes(options, { env, connection, membership, metrics }));
  });
}

interface LaneParts {
  readonly env: LakeEnvironment;
  readonly connection: StreamConnection;
  readonly membership: Membership;
  readonly metrics: RoundMetrics;
}

async function openLanes(
  { context, datasets }: AggregatorOptions,
  { env, connection, membership, metrics }: LaneParts,
): Promise<OpenedWork> {
  const { settings, log } = context;
  const { streamReplicas: replicas } = settings;
  const rollups = await connection.openLog(rollupLog({ replicas }));
  const validated = await connection.openLog(validatedLog({ replicas }));
  const folder = openFolder(settings.dataDir);
  const units = laneUnits(datasets);
  const share = await UnitShare.open({ connection, group: "aggregator", units: [...units.keys()], ...membership });
  const memoryLimitMb = Math.round(settings.memoryBytes / 1024 ** 2);
  const kernel = await openKernel({ memoryLimitMb, threads: 1, tempDir: join(folder, "spill") });
  const stageOf = ({ dataset, lane }: LaneUnit, laneConnection: KernelConnection) =>
    new LaneStage({
      env,
      connection: laneConnection,
      dataset,
      lane,
      log: rollups,
      streams: connection,
      defaultZone: settings.defaultZone,
      folder: join(folder, dataset.name),
      logger: log,
      tracer: context.tracer,
      backlog: (raw) => backlogOf(validated, dataset, raw),
      rounded: (report) => metrics.rounded(dataset.name, report),
    });
  const work = async (name: string, signal: AbortSignal) => {
    const unit = units.get(name)!;
    const laneConnection = await kernel.connect();
    const stage = stageOf(unit, laneConnection);
    const endLag = metrics.watchLag(unit.dataset.name, stage);
    try {
      await runLane(connection, name, stage, signal);
    } finally {
      endLag();
      laneConnection.close();
    }
  };
  const endReplies = answerRebuilds(connection, units);
  const close = async () => {
    endReplies();
    await connection.close();
    kernel.close();
  };
  return { share, work, close, checks: { share: () => share.whyNotReady() } };
}

/** The aggregator's part of the data directory, empty. */
function openFolder(dataDir: string): string {
  const folder = join(dataDir, "aggregator");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

interface LaneUnit {
  readonly dataset: Dataset;
  readonly lane: RollupLane;
}

/** Lanes by their names among the units that aggregators share. */
function laneUnits(datasets: readonly Dataset[]): ReadonlyMap<string, LaneUnit> {
  const units = datasets.flatMap((dataset) => rollupLanes(dataset).map((lane) => ({ dataset, lane })));
  return new Map(units.map((unit) => [`${unit.dataset.name}.${unit.lane.name}`, unit]));
}

/** Until the signal, with an answer to rebuilds of this lane. */
async function runLane(
  connection: StreamConnection,
  unit: string,
  stage: LaneStage,
  signal: AbortSignal,
): Promise<void> {
  const endReplies = connection.reply(`${rebuildSubject}.${unit}`, { queue: "aggregator" }, async (data) => {
    const request = JSON.parse(Buffer.from(data).toString("utf8")) as RebuildRequest;
    return Buffer.from(JSON.stringify(await stage.rebuild(request)));
  });
  try {
    await stage.run(signal);
  } finally {
    endReplies();
  }
}

interface AddressedTo {
  /** Of the request's shape; 1 where it is missing. */
  readonly v?: number;
  readonly dataset: string;
}

/** Carries out the requests of `firn rebuild`: each lane is asked where it is done. Returns what ends it. */
function answerRebuilds(connection: StreamConnection, units: ReadonlyMap<string, LaneUnit>): () => void {
  return connection.reply(rebuildSubject, { queue: "aggregator" }, async (data) => {
    const { v, dataset, ...request } = JSON.parse(Buffer.from(data).toString("utf8")) as RebuildRequest & AddressedTo;
    refuseNewer("the request of firn rebuild", v, 1);
    const names = [...units].filter(([, unit]) => unit.dataset.name === dataset).map(([name]) => name);
    if (names.length === 0) throw new Error(`no dataset ${dataset} with rollups`);
    const lanes = names.map((name) => ({
      rebuild: async (asked: RebuildRequest) => {
        const bytes = Buffer.from(JSON.stringify(asked));
        const subject = `${rebuildSubject}.${name}`;
        const report = await askUnit(connection, subject, bytes, { timeoutMs: laneRebuildMsMax });
        return JSON.parse(Buffer.from(report).toString("utf8")) as RebuildReport;
      },
    }));
    return Buffer.from(JSON.stringify(await rebuildLanes(lanes, request)));
  });
}
