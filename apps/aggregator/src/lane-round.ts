/** A round of a lane: its changes, staged in the warehouse, and the message that names them. */
import type { Dataset, RollupLane, RollupRound } from "@firn/core";
import type { KernelConnection, LakeEnvironment, Table } from "@firn/lake";
import type { Logger } from "@firn/service";
import { randomUUID } from "node:crypto";
import { computeChanges } from "./compute-changes.ts";
import type { RoundParts } from "./round-parts.ts";
import { rowsPerSliceMax } from "./slices.ts";
import type { DateRange } from "./window-source.ts";

/** With less memory than this asks for, tables are not made whole: sorting them does not become smaller with the slices. */
const rowsPerWholeSliceMin = rowsPerSliceMax / 16;

export interface LaneRoundOptions {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly dataset: Dataset;
  readonly lane: RollupLane;
  readonly defaultZone: string;
  /** Local folder for files before they are staged. */
  readonly folder: string;
  readonly logger: Logger;
  /** Changed rows of raw from which a round may make the tables whole. */
  readonly wholeRowsMin?: number;
}

/** What a round starts from. */
export interface RoundStart {
  readonly raw: Table;
  /** The tables of the lane's rollups, and of the days that they are made from, by the rollup's name. */
  readonly published: ReadonlyMap<string, Table>;
  /** The snapshot of raw that all rollups equal; undefined where they do not. */
  readonly base: bigint | undefined;
  /** The snapshot of raw that they shall equal. */
  readonly to: bigint;
  /** The last round of the log; 0 for none. */
  readonly lastSequence: number;
}

/**
 * @param rebuilds ranges of local dates that are computed anew, whatever changed
 * @param rowsPerSlice rows of raw that are worked on at once
 * @returns with how many windows were computed
 * @throws LakeError, and DuckDB's error where memory does not suffice
 */
export async function computeLaneRound(
  options: LaneRoundOptions,
  start: RoundStart,
  rebuilds: readonly DateRange[],
  rowsPerSlice: number,
): Promise<{ round: RollupRound; windows: number }> {
  const { connection, dataset, defaultZone, env, folder, lane, logger, wholeRowsMin } = options;
  const { base, published, raw, to } = start;
  const nowMs = env.clock.nowMs();
  const parts: RoundParts = {
    env,
    connection,
    dataset,
    rollups: lane.rollups,
    days: lane.days,
    raw,
    snapshotId: to,
    published,
    defaultZone,
    rowsPerSlice,
    nowUs: nowMs * 1000,
    roundId: `${nowMs}-${randomUUID()}`,
    folder,
  };
  const { computed, baseSnapshot } = await computeChanges(parts, {
    base,
    rebuilds,
    wholeRowsMin: rowsPerSlice < rowsPerWholeSliceMin ? Infinity : wholeRowsMin,
    logger,
  });
  const round: RollupRound = {
    v: 3,
    dataset: dataset.name,
    sourceTable: raw.metadata["table-uuid"],
    sourceSnapshot: String(to),
    baseSnapshot: baseSnapshot === undefined ? null : String(baseSnapshot),
    part: 0,
    parts: 1,
    rollups: computed.changes,
  };
  return { round, windows: computed.windows };
}
