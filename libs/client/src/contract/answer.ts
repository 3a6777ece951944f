/** What every question answers, over HTTP as JSON and over NATS. */
export interface Answer<Row = Record<string, unknown>> {
  readonly data: readonly Row[];
  readonly meta: AnswerMeta;
  readonly page: { readonly cursor: string | null };
  readonly stats: AnswerStats;
}

export interface AnswerMeta {
  /** By full table name; the snapshot that was read, null for a table that had none. */
  readonly tables: Readonly<Record<string, { readonly snapshot_id: string | null }>>;
  /**
   * Everything that ingest acknowledged before this instant is in the answer (ISO 8601, Z). Null where that is not
   * known: for a snapshot of the past, or before the service has looked at the streams once.
   */
  readonly complete_through: string | null;
  /** Unit of the values: a name for one data type, a name by data type for several. Null where it is not known. */
  readonly unit?: string | null | Readonly<Record<string, string | null>>;
}

export interface AnswerStats {
  readonly rows: number;
  readonly files_read: number;
  /** Compressed bytes of the column chunks that the scan could not leave out. */
  readonly bytes_read: number;
  /** True when no file was read because the same question was answered from the same snapshot before. */
  readonly cached: boolean;
  /** At $5 per TB read. */
  readonly cost_usd: number;
  readonly elapsed_ms: number;
}

/** `GET /api/pipeline`. Lags are in messages, counts in records since the lake was made. */
export interface PipelineStatus {
  /** Everything acknowledged before the request is in raw or errors, and every aggregate equals raw. */
  readonly settled: boolean;
  readonly parked: readonly ParkedStage[];
  readonly lag: {
    readonly intake: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly rollup: number;
  };
  readonly datasets: Readonly<Record<string, DatasetCounts>>;
}

export interface ParkedStage {
  readonly stage: string;
  /** Number of the shard, or the name of what the stage works on where it is not a shard. */
  readonly shard: number | string;
  readonly reason: string;
  readonly fix: string;
}

/** received = stored + corrected + duplicates + rejected + deleted whenever settled. */
export interface DatasetCounts {
  readonly received: number;
  readonly stored: number;
  readonly corrected: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly deleted: number;
}

/** `202` of the ingest service. */
export interface Receipt {
  readonly receipt: string;
  readonly payloads: number;
}

/** An error body: application/problem+json, RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly ProblemField[];
}

export interface ProblemField {
  readonly field: string;
  readonly rule: string;
  readonly message: string;
}
