/** Finds and removes the files of one table that nothing names, and says what it did. */
import { findOrphans, type LakeEnvironment, removeOrphans, type Table } from "@firn/lake";

/** What lies in a table's folder and is named by nothing. */
export interface OrphanUpkeep {
  readonly orphan_files: number;
  readonly orphan_bytes: number;
  /** Some of them, as they lie in the store. */
  readonly orphans: readonly string[];
  readonly orphans_removed?: number;
}

export interface OrphanSearch {
  readonly env: LakeEnvironment;
  /** Younger files may belong to a commit under way. */
  readonly ageMs: number;
  /** Files that waiting rounds name. */
  waiting(): Promise<readonly string[]>;
}

const namesToldMax = 100;

/** @throws LakeError */
export async function orphanUpkeep(search: OrphanSearch, table: Table, remove: boolean): Promise<OrphanUpkeep> {
  const { ageMs, env, waiting } = search;
  const orphans = await findOrphans(env, table, { olderThanMs: env.clock.nowMs() - ageMs, spared: waiting });
  const failed = remove ? await removeOrphans(env, orphans) : 0;
  return {
    orphan_files: orphans.length,
    orphan_bytes: orphans.reduce((sum, file) => sum + file.sizeBytes, 0),
    orphans: orphans.slice(0, namesToldMax).map((file) => file.location),
    ...(remove ? { orphans_removed: orphans.length - failed } : {}),
  };
}
