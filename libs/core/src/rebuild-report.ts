/** What the aggregator answers to a request of `firn rebuild`, as JSON. */
export interface RebuildReport extends RoundReport {
  /** Of a rebuild that asked for it; where it is not ok, nothing was published. */
  readonly validation?: RebuildValidation;
}

export interface RoundReport {
  /** Windows of days that were computed. */
  readonly windows: number;
  /** Rows that were published. */
  readonly rows: number;
  readonly durationMs: number;
}

export interface RebuildValidation {
  readonly ok: boolean;
  readonly rollups: readonly RollupValidation[];
}

export interface RollupValidation {
  readonly rollup: string;
  readonly ok: boolean;
  readonly raw_rows: number;
  readonly summary_rows: number;
  /** Rows of raw for each row of the rollup; null where there is none. */
  readonly reduction_factor: number | null;
  /** Windows that raw has and the rollup has not, and the other way round. */
  readonly missing_windows: number;
  readonly unexpected_windows: number;
  readonly totals: readonly ValidatedTotal[];
}

/** A sum over raw beside the sum of the rollup's sums; NaN and infinities as texts. */
export interface ValidatedTotal {
  readonly column: string;
  readonly raw: number | string;
  readonly summary: number | string;
  readonly ok: boolean;
}
