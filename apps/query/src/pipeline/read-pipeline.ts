import {
  acceptedSubject,
  acceptedTableSubject,
  INPUT_SEQUENCE_HEADER,
  intakeSubject,
  OTHERS_HEADER,
  parkedKey,
  NewerFormat,
  parseOtherEnds,
  RECORDS_HEADER,
  refuseNewerState,
  rejectedSubject,
  rollupLanes,
  type RollupLane,
  rollupSubject,
  streams,
  type Dataset,
  type TableDefinition,
} from "@firn/core";
import type { ParkedStage, PipelineStatus } from "@firn/client";
import { isLakeError, type Table } from "@firn/lake";
import { Problem } from "@firn/service";
import type { Log } from "@firn/stream";
import type { TableCache } from "../tables/table-cache.ts";
import { kafkaParkedKeys } from "./kafka-hold.ts";
import type { DatasetReading, PipelineReading, ReadingCover, ShardReading } from "./pipeline-reading.ts";
import { coverOf, needsHistory, positionIn, type SettleTarget, writtenThrough } from "./settling.ts";
import type { OpenStreams } from "./stream-link.ts";

const shardNumbers = (shards: number): number[] => Array.from({ length: shards }, (_, shard) => shard);

/** The last sequences of INTAKE by shard, per dataset: what has been acknowledged up to now. */
export async function readIntakeEnds(
  open: OpenStreams,
  datasets: readonly Dataset[],
  shards: number,
): Promise<Map<string, readonly number[]>> {
  const ends = datasets.map(async ({ name }) => {
    const last = shardNumbers(shards).map((shard) => lastSequence(open.intake, intakeSubject(name, shard)));
    return [name, await Promise.all(last)] as const;
  });
  return new Map(await Promise.all(ends));
}

/** One look at everything: the tables first, then the streams. */
export async function readPipeline(
  open: OpenStreams,
  tables: TableCache,
  datasets: readonly Dataset[],
  shards: number,
): Promise<PipelineReading> {
  const readings = datasets.map((dataset) => readDataset(open, tables, dataset, shards, "everything"));
  return { datasets: await Promise.all(readings) };
}

/** A look at what the target waits for, and at nothing else: waiting must cost little while much is on its way. */
export async function readTowards(
  open: OpenStreams,
  tables: TableCache,
  datasets: readonly Dataset[],
  shards: number,
  target: SettleTarget,
): Promise<PipelineReading> {
  const readings = target.datasets.flatMap((one) => {
    const dataset = datasets.find(({ name }) => name === one.dataset);
    const cover = coverOf(one);
    return dataset === undefined || cover === undefined ? [] : [readDataset(open, tables, dataset, shards, cover)];
  });
  return { datasets: await Promise.all(readings) };
}

async function readDataset(
  open: OpenStreams,
  tables: TableCache,
  dataset: Dataset,
  shards: number,
  cover: ReadingCover,
): Promise<DatasetReading> {
  const wants = (part: ReadingCover): boolean => cover === part || cover === "everything";
  const loadAll = (definitions: readonly TableDefinition[], wanted: boolean) =>
    Promise.all(definitions.map(async (definition) => (wanted ? unlessMissing(tables.load(definition)) : undefined)));
  const [[newest], [errors], rollups, others] = await Promise.all([
    loadAll([dataset.raw], cover !== "streams"),
    loadAll([dataset.errors], wants("records")),
    loadAll(
      dataset.rollups.map((rollup) => rollup.table),
      wants("rollups"),
    ),
    loadAll(
      (dataset.others ?? []).map((other) => other.definition),
      wants("records"),
    ),
  ]);
  const isBehind = wants("rollups") && needsHistory(newest, rollups);
  const raw = isBehind ? await unlessMissing(tables.load(dataset.raw, "all")) : newest;
  const [validatedIdentity, rollupIdentity] = await Promise.all([open.validated.identity(), open.rollup.identity()]);
  const read = shardNumbers(shards).map(async (shard) =>
    wants("streams") ? readShard(open, dataset.name, shard) : { ...unreadShard, shard },
  );
  const rounds = rollupLanes(dataset).map(async (lane) =>
    cover === "everything" ? lastSequence(open.rollup, rollupSubject(dataset.name, lane.number)) : 0,
  );
  const [shardReadings, roundsLast] = await Promise.all([Promise.all(read), Promise.all(rounds)]);
  const ends = { shards: shardReadings, roundsLast, validatedIdentity, rollupIdentity };
  return { dataset, cover, raw, errors, rollups, others, ...ends };
}

const unreadShard: Omit<ShardReading, "shard"> = {
  acceptedLast: 0,
  rejectedLast: 0,
  othersLast: new Map(),
  validatedThrough: 0,
  received: 0,
};

/** @throws Problem where a newer release keeps the table's state in a way that this one does not know */
async function unlessMissing(load: Promise<Table>): Promise<Table | undefined> {
  try {
    const table = await load;
    refuseNewerState(table.metadata.properties);
    return table;
  } catch (error) {
    if (error instanceof NewerFormat) throw new Problem(503, "newer_format", `${error.message}; ${error.fix}`);
    if (isLakeError(error, "not_found")) return undefined;
    throw error;
  }
}

async function readShard(open: OpenStreams, dataset: string, shard: number): Promise<ShardReading> {
  const accepted = await open.validated.last(acceptedSubject(dataset, shard));
  // After the accepted one: the rejected messages of a run lie before its last accepted message.
  const rejectedLast = await lastSequence(open.validated, rejectedSubject(dataset, shard));
  return {
    shard,
    acceptedLast: accepted?.sequence ?? 0,
    rejectedLast,
    othersLast: parseOtherEnds(accepted?.headers[OTHERS_HEADER], accepted?.sequence ?? 0),
    validatedThrough: Number(accepted?.headers[INPUT_SEQUENCE_HEADER] ?? 0),
    received: Number(accepted?.headers[RECORDS_HEADER] ?? 0),
  };
}

async function lastSequence(log: Log, subject: string): Promise<number> {
  return (await log.last(subject))?.sequence ?? 0;
}

/** Messages that wait for each stage. */
export async function readLag(open: OpenStreams, reading: PipelineReading): Promise<PipelineStatus["lag"]> {
  const lag = { intake: 0, accepted: 0, rejected: 0, rollup: 0 };
  const waits: Promise<void>[] = [];
  const add = (name: keyof typeof lag, log: Log, subject: string, position: number, last: number) => {
    if (last <= position) return;
    waits.push(log.pending([subject], position).then((count) => void (lag[name] += count)));
  };
  for (const one of reading.datasets) {
    const { name } = one.dataset;
    for (const shard of one.shards) {
      const { accepted, rejected, others } = writtenThrough(one, shard);
      // Whatever lies behind the position: the last message itself may be large, and is not needed.
      add("intake", open.intake, intakeSubject(name, shard.shard), shard.validatedThrough, Infinity);
      add("accepted", open.validated, acceptedSubject(name, shard.shard), accepted, shard.acceptedLast);
      add("rejected", open.validated, rejectedSubject(name, shard.shard), rejected, shard.rejectedLast);
      for (const [table, last] of shard.othersLast) {
        const subject = acceptedTableSubject(name, table, shard.shard);
        add("accepted", open.validated, subject, others.get(table) ?? 0, last);
      }
    }
    for (const [at, lane] of rollupLanes(one.dataset).entries()) {
      const subject = rollupSubject(name, lane.number);
      add("rollup", open.rollup, subject, roundPosition(one, lane, subject), one.roundsLast[at] ?? 0);
    }
  }
  await Promise.all(waits);
  return lag;
}

/** A round is done when the lane's last table has it. */
function roundPosition(
  { dataset, rollups, rollupIdentity }: DatasetReading,
  lane: RollupLane,
  subject: string,
): number {
  const tables = lane.rollups.map((rollup) => rollups[dataset.rollups.indexOf(rollup)]);
  return Math.min(...tables.map((table) => positionIn(table, streams.rollup, rollupIdentity, subject)));
}

/** Stages that stand still until somebody decides, with why and how to go on. */
export async function readParked(
  open: OpenStreams,
  datasets: readonly Dataset[],
  shards: number,
): Promise<ParkedStage[]> {
  const ofStages = datasets.flatMap((dataset) => parkedKeys(dataset, shardNumbers(shards)));
  const keys = [...ofStages, ...(await kafkaParkedKeys(open))];
  const found = await Promise.all(keys.map((key) => open.attempts.get(key)));
  return found.filter(isParked).map(({ stage, shard, reason, fix }) => ({ stage, shard, reason, fix }));
}

/** The parts in which stages stand still: shards of the validator, what the writer writes. */
function parkedKeys(dataset: Dataset, shards: readonly number[]): string[] {
  const { name, others = [] } = dataset;
  const lanes = rollupLanes(dataset).map((lane) => lane.name);
  const parts = ["accepted", "rejected", ...lanes, ...others.map((other) => other.definition.name)];
  return [
    ...shards.map((shard) => parkedKey("validator", `${name}.${shard}`)),
    ...parts.map((part) => parkedKey("catalog-writer", `${name}.${part}`)),
  ];
}

function isParked(value: unknown): value is ParkedStage {
  const state = value as Partial<ParkedStage> | undefined | null;
  return typeof state?.stage === "string" && typeof state.reason === "string" && typeof state.fix === "string";
}
