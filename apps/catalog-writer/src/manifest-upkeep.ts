/** Manifests that are many, or whose files lie across all partitions, are written anew in the order of partitions. */
import { type LakeEnvironment, planManifestRewrite, type SnapshotChange, type Table } from "@firn/lake";

/** Entries that one rewrite may read and write: about 30 µs and 1.7 KB each, while commits wait. */
const entriesMax = { rest: 20_000, asked: 50_000 };

/** How many manifests a rewrite would replace. */
export async function manifestsToRewrite(env: LakeEnvironment, table: Table): Promise<number> {
  const groups = await planManifestRewrite(env, table, { entriesMax: entriesMax.asked });
  return groups.reduce((sum, group) => sum + group.manifests.length, 0);
}

export interface ManifestUpkeep {
  readonly change: SnapshotChange;
  readonly manifests: number;
}

/** undefined: the manifests are well as they are. */
export async function planManifestUpkeep(
  env: LakeEnvironment,
  table: Table,
  when: "rest" | "asked",
): Promise<ManifestUpkeep | undefined> {
  const rewrittenManifests = await planManifestRewrite(env, table, { entriesMax: entriesMax[when] });
  if (rewrittenManifests.length === 0) return undefined;
  const manifests = rewrittenManifests.reduce((sum, group) => sum + group.manifests.length, 0);
  return { change: { operation: "replace", rewrittenManifests }, manifests };
}
