import { refuseNewer, versionOfJson } from "./newer-format.ts";

/**
 * Message on `rollup.<dataset>.<lane>`: one round of the aggregator, which brings every rollup of a lane from one
 * snapshot of raw to a later one. Rows travel by reference: Parquet files staged in the warehouse, with the columns of
 * the rollup's table. Snapshot ids are decimal texts.
 */
export interface RollupRound {
  readonly v: 3;
  readonly dataset: string;
  /** Table uuid of raw. */
  readonly sourceTable: string;
  /** Snapshot of raw that the rollups equal after this round. */
  readonly sourceSnapshot: string;
  /** Snapshot that they equalled before; null for a round that computes every window anew. */
  readonly baseSnapshot: string | null;
  /** Rounds come in numbered parts, one an aggregator shard: 0 ≤ part < parts. */
  readonly part: number;
  readonly parts: number;
  /** In the order day, week, month. */
  readonly rollups: readonly RollupChange[];
}

export interface RollupChange {
  readonly rollup: string;
  /**
   * The state of the rollup's table that the change was computed on: its uuid and snapshot, null for none. Where other
   * rows are there when the change comes to be written, it is not, and the aggregator computes anew.
   */
  readonly onto: { readonly table: string; readonly snapshot: string | null };
  /** Rows that take the place of the row with the same identity, or are new. */
  readonly upserts: readonly StagedRows[];
  /** Identities whose row goes (columns of the identity only). */
  readonly deletes: readonly StagedRows[];
  /**
   * The whole table anew: a staged file that lists data files (encodeDataFiles of @firn/lake), which lie in the table's
   * folder already and take the place of all that it has. There are no upserts and deletes beside it.
   */
  readonly whole?: StagedRows;
}

export interface StagedRows {
  readonly location: string;
  readonly bytes: number;
  readonly rows: number;
}

/** Every staged file that a change names. */
export function stagedFiles({ upserts, deletes, whole }: RollupChange): StagedRows[] {
  return [...upserts, ...deletes, ...(whole ? [whole] : [])];
}

/** The message of a round, version 3. */
export function encodeRollupRound(round: RollupRound): Uint8Array {
  return Buffer.from(JSON.stringify(round), "utf8");
}

/** @throws NewerFormat @throws SyntaxError when the bytes are not a round of version 3. */
export function decodeRollupRound(bytes: Uint8Array): RollupRound {
  refuseNewer("a round of the aggregator", versionOfJson(bytes), 3);
  const round = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
  ) as RollupRound;
  if (round?.v !== 3 || typeof round.sourceSnapshot !== "string" || !Array.isArray(round.rollups))
    throw new SyntaxError("not a rollup round of version 3");
  return round;
}
