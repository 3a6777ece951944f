/** What `firn maintain` asks the writer for, and what it is told. */

/** What maintenance finds in a table, and what it did when it was told to. */
export interface TableUpkeep {
  readonly table: string;
  readonly rows: number;
  readonly data_files: number;
  readonly delete_files: number;
  readonly bytes: number;
  /** Data files that a merge would replace, and what it would read. */
  readonly files_to_merge: number;
  readonly bytes_to_merge: number;
  readonly snapshots: number;
  readonly snapshots_to_expire: number;
  readonly manifests: number;
  /** Those that would be written anew in the order of partitions. */
  readonly manifests_to_rewrite: number;
  /** Whether the table has statistics of its newest snapshot, of an older one, or none. */
  readonly statistics: "current" | "older" | "none";
  readonly files_merged?: number;
  readonly files_written?: number;
  readonly snapshots_expired?: number;
  readonly manifests_rewritten?: number;
  readonly orphan_files?: number;
  readonly orphan_bytes?: number;
  /** Some of them, as they lie in the store. */
  readonly orphans?: readonly string[];
  readonly orphans_removed?: number;
}

export interface MaintainOrder {
  /** Else it is only said what there is to do. */
  readonly run: boolean;
  /** Whether files that nothing names are looked for, and with `run` removed. */
  readonly orphans: boolean;
  /** With `run`: the different values of each column are counted, which reads the whole table. */
  readonly statistics?: boolean;
  /** Only this table. */
  readonly table?: string;
  /** With `run`: after so long nothing more is begun in a table; what is left is in the answer. */
  readonly limitMs?: number;
}
