/**
 * The stages of one dataset: one for each table of records, one for each lane of rollups, and the maintenance of them
 * all, which takes its turns in the same commit queues.
 */
import { type Dataset, type RollupLane, rollupLanes, type TableDefinition, tablesOf } from "@firn/core";
import { definedIdentifier, type Kernel, type KernelConnection, type LakeEnvironment } from "@firn/lake";
import type { Logger, Parking, Stage, Tracer } from "@firn/service";
import type { Log, StreamConnection } from "@firn/stream";
import { join } from "node:path";
import type { CadenceLimits } from "./cadence.ts";
import { CommitQueue } from "./commit-queue.ts";
import { type KeyedTableDefinition, keyedTables, rollupsUnit, unitsOf } from "./dataset-units.ts";
import { type LocalDateRule, localDateRule } from "./foreign/local-dates.ts";
import { KeyIndex } from "./key-index/key-index.ts";
import type { KnownTables } from "./known-tables.ts";
import { Maintenance } from "./maintenance.ts";
import type { OrphanSearch } from "./orphan-upkeep.ts";
import { RollupStage } from "./rollup-stage.ts";
import { TableStage } from "./table-stage.ts";
import { filesOfWaitingRounds } from "./waiting-rounds.ts";
import type { WorkBudget } from "./work-budget.ts";
import type { WriterMetrics } from "./writer-metrics.ts";

/** What the stages of all datasets share. */
export interface WriterParts {
  readonly shards: number;
  readonly limits: CadenceLimits;
  readonly maintenanceIntervalMs: number;
  /** Files that nothing names are removed when they are older. */
  readonly orphanAgeMs: number;
  /** Zone of events that name none. */
  readonly defaultZone: string;
  /** How often tables are looked at while nothing comes; absent: the stages' own. */
  readonly lookAgainMs?: number;
  readonly logger: Logger;
  readonly tracer?: Tracer;
  readonly metrics: WriterMetrics;
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

export interface DatasetStages {
  /** All of them, the maintenance too. */
  readonly stages: readonly Stage[];
  readonly maintenance: Maintenance;
  /** After the stages have ended. */
  close(): Promise<void>;
}

type QueueOf = (table: string) => CommitQueue;

/** @param units those of `unitsOf` that are opened */
export async function openDatasetStages(
  dataset: Dataset,
  { kernel, ...shared }: WriterParts,
  units: readonly string[] = unitsOf(dataset),
): Promise<DatasetStages> {
  const connections: KernelConnection[] = [];
  const connect = async () => {
    const connection = await kernel.connect();
    connections.push(connection);
    return connection;
  };
  const parts = { ...shared, connect };
  const queues = new Map(tablesOf(dataset).map(({ name }) => [name, new CommitQueue(parts.budget)]));
  const queueOf: QueueOf = (table) => queues.get(table) ?? new CommitQueue(parts.budget);
  const maintenance = new Maintenance({
    env: parts.env,
    connection: await connect(),
    logger: parts.logger,
    intervalMs: parts.maintenanceIntervalMs,
    queueOf,
    orphans: orphanSearch(dataset, parts),
    metrics: parts.metrics,
  });
  const stages: Stage[] = [];
  const indexes: KeyIndex[] = [];
  const written: string[] = [];
  for (const keyed of keyedTables(dataset).filter(({ unit }) => units.includes(unit))) {
    const index = KeyIndex.open(join(parts.folder, "index", keyed.definition.name), { content: keyed.content });
    indexes.push(index);
    written.push(keyed.definition.name);
    const stage = await openTableStage(dataset, keyed, index, queueOf, parts);
    parts.metrics.watchLag(keyed.definition.name, (nowMs) => stage.lagSeconds(nowMs));
    maintenance.watchKeyed(keyed.definition, stage, keyed.aggregates);
    stages.push(stage);
  }
  if (dataset.rollups.length > 0 && units.includes(rollupsUnit)) {
    for (const lane of rollupLanes(dataset)) stages.push(await openRollupStage(dataset, lane, queueOf, parts));
    maintenance.watchRollups(dataset);
    written.push(...dataset.rollups.map(({ table }) => table.name));
  }
  const close = async () => {
    for (const table of written) parts.metrics.handedOver(table);
    for (const index of indexes) await index.close();
    for (const connection of connections) connection.close();
  };
  return { stages: [...stages, maintenance], maintenance, close };
}

/** Of what is opened together: connections are closed with it. */
type OpenParts = Omit<WriterParts, "kernel"> & { connect(): Promise<KernelConnection> };

function orphanSearch(dataset: Dataset, { env, orphanAgeMs, rollups }: OpenParts): OrphanSearch {
  const lanes = rollupLanes(dataset).map((lane) => lane.number);
  return { env, ageMs: orphanAgeMs, waiting: () => filesOfWaitingRounds(rollups, dataset.name, lanes, env.store) };
}

/** Dead letters need not be as fresh as rows: less of the time goes into their commits while they keep coming. */
const rejectedCostFactor = 20;

async function openTableStage(
  dataset: Dataset,
  { part, kind, definition, identity, content, derived, subject, countAs }: KeyedTableDefinition,
  index: KeyIndex,
  queueOf: QueueOf,
  parts: OpenParts,
): Promise<TableStage> {
  const { connect, metrics, validated } = parts;
  const shards = Array.from({ length: parts.shards }, (_, shard) => shard);
  return new TableStage({
    name: `${dataset.name}.${part}`,
    kind,
    log: validated,
    table: {
      env: parts.env,
      connection: await connect(),
      index,
      definition,
      identity,
      content,
      ...(derived === undefined ? {} : { derived }),
      identifier: definedIdentifier(definition),
      stream: validated.stream,
      subjects: shards.map(subject),
      writerEpoch: parts.writerEpoch,
      newRowsCountAs: countAs,
      ...(kind === "accepted" ? { takeUp: takeUpOf(dataset, definition, parts.defaultZone) } : {}),
    },
    known: parts.known,
    loadConnection: await connect(),
    queue: queueOf(definition.name),
    parking: parts.parking,
    limits: kind === "rejected" ? { ...parts.limits, costFactor: rejectedCostFactor } : parts.limits,
    folder: join(parts.folder, "spool"),
    logger: parts.logger,
    ...(parts.tracer && { tracer: parts.tracer }),
    ...lookAgain(parts),
    hint: hintBy(parts.connection),
    committed: (committed, report, durationMs) => metrics.committed(committed.table, report, durationMs),
    setBack: (error) => metrics.setBack(definition.name, error),
  });
}

function takeUpOf(dataset: Dataset, definition: TableDefinition, defaultZone: string): { localDates?: LocalDateRule } {
  const localDates = localDateRule(dataset, definition, defaultZone);
  return localDates === undefined ? {} : { localDates };
}

async function openRollupStage(
  dataset: Dataset,
  lane: RollupLane,
  queueOf: QueueOf,
  parts: OpenParts,
): Promise<RollupStage> {
  return new RollupStage({
    env: parts.env,
    connection: await parts.connect(),
    dataset,
    lane,
    log: parts.rollups,
    known: parts.known,
    queueOf,
    parking: parts.parking,
    writerEpoch: parts.writerEpoch,
    logger: parts.logger,
    ...(parts.tracer && { tracer: parts.tracer }),
    ...lookAgain(parts),
    hint: hintBy(parts.connection),
    committed: (table, done, durationMs) => parts.metrics.rollupCommitted(table, done, durationMs),
    setBack: (error) => parts.metrics.setBack(`${dataset.name}.${lane.name}`, error),
  });
}

function hintBy(connection: StreamConnection): (subject: string) => void {
  return (subject) => connection.publishHint(subject, new Uint8Array());
}

function lookAgain({ lookAgainMs }: Pick<WriterParts, "lookAgainMs">): { lookAgainMs?: number } {
  return lookAgainMs === undefined ? {} : { lookAgainMs };
}
