import {
  acceptedSubject,
  acceptedTableSubject,
  identityProperty,
  parsePositions,
  positionEntry,
  rejectedSubject,
  sourceSnapshotProperty,
  streams,
} from "@firn/core";
import { changesNoRow, currentSnapshot, snapshotById, type Table, type TableMetadata } from "@firn/lake";
import type { DatasetReading, PipelineReading, ReadingCover, ShardReading } from "./pipeline-reading.ts";

/**
 * Whether what was acknowledged at one moment has come all the way. A target is taken at that moment and moves from
 * step to step with each reading; what is acknowledged later never holds it up.
 */
export interface SettleTarget {
  readonly datasets: readonly DatasetTarget[];
}

export type DatasetTarget =
  /** The validator has to be done with these sequences of INTAKE, by shard. */
  | { readonly kind: "validating"; readonly dataset: string; readonly intake: readonly number[] }
  /** Raw and errors have to hold these sequences of VALIDATED, by shard. */
  | {
      readonly kind: "writing";
      readonly dataset: string;
      readonly accepted: readonly number[];
      readonly rejected: readonly number[];
      readonly others: readonly ReadonlyMap<string, number>[];
    }
  /** Every rollup has to equal this snapshot of raw, or a later one; undefined: raw has none. */
  | { readonly kind: "aggregating"; readonly dataset: string; readonly snapshot: SnapshotMark | undefined }
  | { readonly kind: "settled"; readonly dataset: string };

export interface SnapshotMark {
  readonly id: bigint;
  readonly sequenceNumber: number;
}

/** The target for what INTAKE holds at its ends: take them before anything else is read. */
export function settleTarget(intakeEnds: ReadonlyMap<string, readonly number[]>): SettleTarget {
  return { datasets: [...intakeEnds].map(([dataset, intake]) => ({ kind: "validating", dataset, intake })) };
}

/** The target after a reading that was begun after the target was taken. */
export function advance(target: SettleTarget, reading: PipelineReading): SettleTarget {
  return {
    datasets: target.datasets.map((one) => {
      const read = reading.datasets.find((candidate) => candidate.dataset.name === one.dataset);
      return read === undefined ? one : advanceDataset(one, read);
    }),
  };
}

export const isSettled = (target: SettleTarget): boolean => target.datasets.every((one) => one.kind === "settled");

/** True when raw and errors hold everything; the rollups may not yet. */
export const isWritten = (target: DatasetTarget): boolean => target.kind === "aggregating" || target.kind === "settled";

/** What has to be read to see whether a target moves on. */
export const coverOf = (target: DatasetTarget): ReadingCover | undefined =>
  (({ validating: "streams", writing: "records", aggregating: "rollups", settled: undefined }) as const)[target.kind];

function advanceDataset(target: DatasetTarget, reading: DatasetReading): DatasetTarget {
  const covers = (cover: ReadingCover) => reading.cover === cover || reading.cover === "everything";
  let now = target;
  if (now.kind === "validating" && covers("streams")) now = afterValidating(now, reading);
  if (now.kind === "writing" && covers("records")) now = afterWriting(now, reading);
  if (now.kind === "aggregating" && covers("rollups")) now = afterAggregating(now, reading);
  return now;
}

function afterValidating(target: DatasetTarget & { kind: "validating" }, { shards }: DatasetReading): DatasetTarget {
  if (!shards.every((shard) => shard.validatedThrough >= (target.intake[shard.shard] ?? 0))) return target;
  return {
    kind: "writing",
    dataset: target.dataset,
    accepted: shards.map((shard) => shard.acceptedLast),
    rejected: shards.map((shard) => shard.rejectedLast),
    others: shards.map((shard) => shard.othersLast),
  };
}

function afterWriting(target: DatasetTarget & { kind: "writing" }, reading: DatasetReading): DatasetTarget {
  const written = reading.shards.every((shard, index) => {
    const { accepted, rejected, others } = writtenThrough(reading, shard);
    return (
      accepted >= target.accepted[index]! &&
      rejected >= target.rejected[index]! &&
      holdsOthers(others, target.others[index]!)
    );
  });
  if (!written || ![reading.raw, ...reading.others].every(isTakenUp)) return target;
  const snapshot = reading.raw && currentSnapshot(reading.raw.metadata);
  const mark = snapshot && { id: snapshot["snapshot-id"], sequenceNumber: snapshot["sequence-number"] };
  return { kind: "aggregating", dataset: target.dataset, snapshot: mark };
}

function afterAggregating(target: DatasetTarget & { kind: "aggregating" }, reading: DatasetReading): DatasetTarget {
  const equal = reading.rollups.every((rollup) => equalsRaw(rollup, reading.raw, target.snapshot));
  return equal ? { kind: "settled", dataset: target.dataset } : target;
}

/** False where others have committed rows that the writer has not taken up yet: not counted, doubles among them. */
function isTakenUp(table: Table | undefined): boolean {
  const snapshot = table && currentSnapshot(table.metadata);
  return snapshot === undefined || snapshot.summary?.[positionEntry] !== undefined;
}

/** True when the dataset's other tables hold what their subjects had. */
export function holdsOthers(written: ReadonlyMap<string, number>, last: ReadonlyMap<string, number>): boolean {
  return [...last].every(([table, sequence]) => (written.get(table) ?? 0) >= sequence);
}

/** Sequences of VALIDATED that the tables hold of a shard. */
export function writtenThrough(
  { dataset, raw, errors, others, validatedIdentity }: DatasetReading,
  { shard }: Pick<ShardReading, "shard">,
): { accepted: number; rejected: number; others: ReadonlyMap<string, number> } {
  const ofOthers = (dataset.others ?? []).map(({ definition: { name } }, index) => {
    const subject = acceptedTableSubject(dataset.name, name, shard);
    return [name, positionIn(others[index], streams.validated, validatedIdentity, subject)] as const;
  });
  return {
    others: new Map(ofOthers),
    accepted: positionIn(raw, streams.validated, validatedIdentity, acceptedSubject(dataset.name, shard)),
    rejected: positionIn(errors, streams.validated, validatedIdentity, rejectedSubject(dataset.name, shard)),
  };
}

/** The sequence that a table has of a stream; 0 when it speaks of another stream of that name. */
export function positionIn(table: Table | undefined, stream: string, identity: string, subject: string): number {
  const properties = table?.metadata.properties ?? {};
  const known = properties[identityProperty(stream)];
  if (known !== undefined && known !== identity) return 0;
  return parsePositions(properties, stream).get(subject) ?? 0;
}

/** Whether a rollup equals raw at the mark, or at a later snapshot, or at an earlier one with the same rows. */
function equalsRaw(rollup: Table | undefined, raw: Table | undefined, mark: SnapshotMark | undefined): boolean {
  if (mark === undefined) return true;
  if (raw === undefined || rollup === undefined) return false;
  const source = rollup.metadata.properties[sourceSnapshotProperty];
  if (source === undefined) return hasRowsOf(raw.metadata, mark.id, undefined);
  const sourceId = BigInt(source);
  if (sourceId === mark.id) return true;
  const snapshot = snapshotById(raw.metadata, sourceId);
  if (snapshot !== undefined && snapshot["sequence-number"] > mark.sequenceNumber) return true;
  return hasRowsOf(raw.metadata, mark.id, sourceId);
}

/**
 * True when no snapshot after `earlierId` up to `snapshotId` changed a row; without `earlierId` none did at all. The
 * earlier snapshot itself may have expired, one between them may not.
 */
function hasRowsOf(raw: TableMetadata, snapshotId: bigint, earlierId: bigint | undefined): boolean {
  let current = snapshotById(raw, snapshotId);
  while (current !== undefined && changesNoRow(current)) {
    const parent = current["parent-snapshot-id"];
    if (parent === earlierId) return true;
    current = parent === undefined ? undefined : snapshotById(raw, parent);
  }
  return false;
}

/** Whether raw's whole history is needed, because a rollup names another snapshot than raw's newest. */
export function needsHistory(raw: Table | undefined, rollups: readonly (Table | undefined)[]): boolean {
  const newest = raw?.metadata["current-snapshot-id"];
  if (newest === undefined) return false;
  return rollups.some((rollup) => rollup?.metadata.properties[sourceSnapshotProperty] !== String(newest));
}
