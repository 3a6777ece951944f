import type { DataFile } from "../manifest/data-file.ts";
import type { ManifestGroup } from "./manifest-merge.ts";
import type { SnapshotOperation } from "../metadata/snapshot.ts";

/**
 * What one snapshot does to the files of a table.
 *
 * `append`: only adds data. `overwrite`: changes rows. `delete`: only removes rows. `replace`: changes no row, as
 * merging and compaction do. Removed files are found by spec, partition and location; one that is not in the table
 * fails the commit as `conflict`, because the change was planned on another state.
 */
export interface SnapshotChange {
  readonly operation: SnapshotOperation;
  readonly addedData?: readonly DataFile[];
  readonly addedDeletes?: readonly DataFile[];
  readonly removedData?: readonly DataFile[];
  readonly removedDeletes?: readonly DataFile[];
  /** Manifests of the parent to write anew, as `planManifestRewrite` chose them; else small ones may be merged. */
  readonly rewrittenManifests?: readonly ManifestGroup[];
  /** Entries of ours for the snapshot summary, beside the counts that every summary has. */
  readonly summary?: Readonly<Record<string, string>>;
}
