import type { Literal } from "../scan/predicate.ts";

/**
 * A partition value in Iceberg's own domain, as `Literal` says: days, months, years and buckets are numbers,
 * timestamps microseconds (a number while it is safe, else a bigint), uuids strings, decimals unscaled bigints.
 */
export type PartitionValue = Literal | null;

/** Partition values by partition field name. A field that is missing counts as null. */
export type Partition = Readonly<Record<string, PartitionValue>>;

/** What a file holds (specification, "Data File Fields", field 134). */
export const FileContent = { data: 0, positionDeletes: 1, equalityDeletes: 2 } as const;
export type FileContent = (typeof FileContent)[keyof typeof FileContent];

export type FileFormat = "PARQUET" | "ORC" | "AVRO" | "PUFFIN";

/**
 * A data or delete file as a manifest describes it (specification, "Data File Fields"). Metrics are by field id of
 * the column, and absent where nothing is known: a missing count is not a zero.
 */
export interface DataFile {
  readonly content: FileContent;
  /** Location exactly as the manifest has it, or shall have it. */
  readonly filePath: string;
  readonly fileFormat: FileFormat;
  /** The partition spec that `partition` belongs to. */
  readonly specId: number;
  readonly partition: Partition;
  readonly recordCount: number;
  readonly fileSizeBytes: number;
  readonly columnSizes?: ReadonlyMap<number, number>;
  readonly valueCounts?: ReadonlyMap<number, number>;
  readonly nullValueCounts?: ReadonlyMap<number, number>;
  readonly nanValueCounts?: ReadonlyMap<number, number>;
  /** Single-value serialisation (single-value.ts). A lower bound may be lower, an upper bound higher than any value. */
  readonly lowerBounds?: ReadonlyMap<number, Uint8Array>;
  readonly upperBounds?: ReadonlyMap<number, Uint8Array>;
  readonly keyMetadata?: Uint8Array;
  readonly splitOffsets?: readonly number[];
  /** Only of equality delete files: the columns that they compare. */
  readonly equalityIds?: readonly number[];
  readonly sortOrderId?: number;
  /** Only of position delete files: the one data file that all of its rows name. */
  readonly referencedDataFile?: string;
  /** v3, only of deletion vectors: where the vector lies in its Puffin file, in bytes. */
  readonly contentOffset?: number;
  readonly contentSizeBytes?: number;
  /** v3 row lineage: the id of the file's first row. */
  readonly firstRowId?: number;
}

/** A file of a snapshot: what the manifest adds to the file itself, inheritance resolved. */
export interface LiveFile extends DataFile {
  /** Data sequence number: a delete applies to data files with this number or a lower one. */
  readonly sequenceNumber: number;
  readonly fileSequenceNumber: number;
  /** The snapshot that added the file. */
  readonly snapshotId: bigint;
}

/** Whether the file holds deletes, of either kind. */
export const isDelete = (file: DataFile): boolean => file.content !== FileContent.data;
