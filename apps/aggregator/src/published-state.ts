/**
 * How far the rollups' tables are: which round they have taken up, and which snapshot of raw their rows equal. Both
 * stand in the tables, so that neither a lost round nor a lost stream is mistaken for one that was written.
 */
import {
  identityProperty,
  parsePositions,
  sourceSnapshotEntry,
  sourceSnapshotProperty,
  sourceTableProperty,
} from "@firn/core";
import { isOnMain, rowsChangedBetween, snapshotById, type TableMetadata } from "@firn/lake";

/** The last round that the writer has written into the table or left out; 0 for none of this stream. */
export function roundTaken(metadata: TableMetadata, stream: string, identity: string, subject: string): number {
  if (metadata.properties[identityProperty(stream)] !== identity) return 0;
  return parsePositions(metadata.properties, stream).get(subject) ?? 0;
}

/**
 * The snapshot of raw that every rollup equals; undefined where they differ or one does not say: it is new, was rolled
 * back, or a round was left out of it.
 */
export function commonSource(raw: TableMetadata, rollups: readonly TableMetadata[]): bigint | undefined {
  const sources = new Set(rollups.map((rollup) => sourceOf(raw, rollup)));
  const [source] = sources;
  return sources.size === 1 && source !== undefined ? BigInt(source) : undefined;
}

function sourceOf(raw: TableMetadata, rollup: TableMetadata): string | undefined {
  const { properties } = rollup;
  if (properties[sourceTableProperty] !== raw["table-uuid"]) return undefined;
  const source = properties[sourceSnapshotProperty];
  return source !== undefined && isOnMain(rollup, sourceSnapshotEntry, source) ? source : undefined;
}

/** When the first snapshot of raw after `base` was made, up to `to`; undefined where their rows are the same. */
export function behindSinceMs(raw: TableMetadata, base: bigint | undefined, to: bigint): number | undefined {
  if (base === to || (base !== undefined && rowsChangedBetween(raw, base, to) === false)) return undefined;
  const after = base === undefined ? 0 : (snapshotById(raw, base)?.["sequence-number"] ?? 0);
  const times = raw.snapshots
    .filter((one) => (one["sequence-number"] ?? 0) > after)
    .map((one) => Number(one["timestamp-ms"]));
  return times.length === 0 ? undefined : Math.min(...times);
}
