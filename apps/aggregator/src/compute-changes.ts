import { currentSnapshot, type Table } from "@firn/lake";
import type { Logger } from "@firn/service";
import { computeRound } from "./compute-round.ts";
import { type ComputedRound, type RoundParts, tableOf } from "./round-parts.ts";
import { computeWholeRound, isWholeCheaper } from "./whole-round.ts";
import { allWindows, changedWindows, type DateRange, type WindowSource } from "./window-source.ts";

export interface AskedChanges {
  /** The snapshot of raw that all tables of the lane equal; undefined where they do not. */
  readonly base: bigint | undefined;
  readonly rebuilds: readonly DateRange[];
  /** Changed rows of raw from which tables may be made whole; absent: the default. */
  readonly wholeRowsMin: number | undefined;
  readonly logger: Logger;
}

/**
 * Computes the windows that changed since the base; all where there is none or its snapshots are gone; those of rebuilds
 * too. The base that it was computed from comes with it.
 */
export async function computeChanges(
  parts: RoundParts,
  { base, rebuilds, wholeRowsMin, logger }: AskedChanges,
): Promise<{ computed: ComputedRound; baseSnapshot: bigint | undefined }> {
  const { connection, dataset, env, published, raw, rollups, snapshotId } = parts;
  const since = base === undefined ? undefined : await changedWindows(env, dataset, raw, base, snapshotId);
  const baseSnapshot = since && base;
  const changedRows = since && [...since.rowsByValue.values()].reduce((sum, rows) => sum + rows, 0);
  const tables = rollups.map((rollup) => tableOf(parts, rollup));
  if (rebuilds.length === 0 && isWholeCheaper(raw, snapshotId, tables, changedRows, wholeRowsMin))
    return { computed: await computeWholeRound(parts), baseSnapshot };
  const all = (range: DateRange) => allWindows(env, connection, dataset, raw, snapshotId, published, range);
  if (since === undefined) {
    if (tables.some(hasSnapshot)) {
      const reason = base === undefined ? "the rollups name no snapshot of raw together" : "snapshots since are gone";
      logger.warn("computing every window", { dataset: dataset.name, reason });
    }
    const computed = await computeRound({ ...parts, compare: true, sources: [await all({})] });
    return { computed, baseSnapshot };
  }
  const sources: WindowSource[] = [since];
  for (const range of rebuilds) sources.push(await all(range));
  return { computed: await computeRound({ ...parts, compare: rebuilds.length > 0, sources }), baseSnapshot };
}

const hasSnapshot = ({ metadata }: Table) => currentSnapshot(metadata) !== undefined;
