import type { LiveFile } from "./data-file.ts";

/** What became of a file in the snapshot that wrote the manifest (specification, "Manifest Entry Fields"). */
export const EntryStatus = { existing: 0, added: 1, deleted: 2 } as const;
export type EntryStatus = (typeof EntryStatus)[keyof typeof EntryStatus];

/** An entry as it is read. Of a deleted one, `file.snapshotId` is the snapshot that deleted it. */
export interface ManifestEntry {
  readonly status: EntryStatus;
  readonly file: LiveFile;
}
