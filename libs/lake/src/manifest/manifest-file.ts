/** What a manifest holds (specification, "Manifest Lists", field 517). */
export const ManifestContent = { data: 0, deletes: 1 } as const;
export type ManifestContent = (typeof ManifestContent)[keyof typeof ManifestContent];

/** Values of one partition field over all files of a manifest (specification, "Manifest Lists", field summary). */
export interface FieldSummary {
  readonly containsNull: boolean;
  /** undefined: not known. */
  readonly containsNan?: boolean;
  /** Single-value serialisation; absent when no file has a value, or when unknown. */
  readonly lowerBound?: Uint8Array;
  readonly upperBound?: Uint8Array;
}

/** One entry of a manifest list: a manifest and what can be known without reading it. */
export interface ManifestFile {
  readonly manifestPath: string;
  readonly manifestLength: number;
  readonly specId: number;
  readonly content: ManifestContent;
  /** Sequence number of the snapshot that added the manifest. */
  readonly sequenceNumber: number;
  /** Lowest data sequence number of a live file in it. */
  readonly minSequenceNumber: number;
  readonly addedSnapshotId: bigint;
  /** Counts are undefined where a v1 writer left them out. */
  readonly addedFilesCount?: number;
  readonly existingFilesCount?: number;
  readonly deletedFilesCount?: number;
  readonly addedRowsCount?: number;
  readonly existingRowsCount?: number;
  readonly deletedRowsCount?: number;
  /** In the order of the spec's fields; undefined: not known. */
  readonly partitions?: readonly FieldSummary[];
  readonly keyMetadata?: Uint8Array;
}

/** False when it is certain that the manifest has no live file. */
export function mayHaveLiveFiles(manifest: ManifestFile): boolean {
  return manifest.addedFilesCount !== 0 || manifest.existingFilesCount !== 0;
}
