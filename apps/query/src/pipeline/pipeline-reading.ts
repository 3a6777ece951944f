import type { Dataset } from "@firn/core";
import type { Table } from "@firn/lake";

/** One look at streams and tables. The tables were loaded first, so a stream may be ahead of them but never behind. */
export interface PipelineReading {
  readonly datasets: readonly DatasetReading[];
}

/**
 * What was read of a dataset: the ends of its streams, its tables of records, its rollups and raw, or all of it. What was
 * not read stands in a reading as if it were not there, and is not to be judged by.
 */
export type ReadingCover = "streams" | "records" | "rollups" | "everything";

export interface DatasetReading {
  readonly dataset: Dataset;
  readonly cover: ReadingCover;
  /** Identities of the streams that the sequences belong to: positions of a table in another stream say nothing. */
  readonly validatedIdentity: string;
  readonly rollupIdentity: string;
  readonly shards: readonly ShardReading[];
  /** The last round of each lane of the rollups, in their order; 0 where there was none. */
  readonly roundsLast: readonly number[];
  /** Undefined: there is no such table now, because somebody has dropped it or it is not made yet. */
  readonly raw: Table | undefined;
  readonly errors: Table | undefined;
  readonly rollups: readonly (Table | undefined)[];
  /** The dataset's other tables of records, in its order. */
  readonly others: readonly (Table | undefined)[];
}

/** The ends of a shard's subjects; a sequence is 0 where nothing was ever appended. */
export interface ShardReading {
  readonly shard: number;
  readonly acceptedLast: number;
  readonly rejectedLast: number;
  /** The last INTAKE sequence that the validator is done with. */
  readonly validatedThrough: number;
  /** Last accepted sequence of each of the dataset's other tables, by name. */
  readonly othersLast: ReadonlyMap<string, number>;
  /** Records that the validator has received of this shard since the lake was made. */
  readonly received: number;
}
