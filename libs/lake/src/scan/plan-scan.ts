import type { LakeEnvironment } from "../commit/environment.ts";
import { selectFiles } from "../commit/current-files.ts";
import type { Table } from "../commit/table.ts";
import { resolveSnapshot } from "./resolve-snapshot.ts";
import type { Predicate } from "./predicate.ts";
import { planFiles, type ScanPlan } from "./scan-plan.ts";

export interface PlanScanOptions {
  readonly env: LakeEnvironment;
  readonly table: Table;
  /** Default: the current snapshot of main. */
  readonly snapshotId?: bigint | undefined;
  /** Rows that are wanted. Names are those of the snapshot's schema. */
  readonly where?: Predicate | undefined;
}

/**
 * Plans which files a scan reads: manifests and files are left out by partition, files by column bounds, and each file
 * gets the delete files that apply to it. Manifests come from the environment's cache.
 */
export async function planScan({ env, table, snapshotId, where }: PlanScanOptions): Promise<ScanPlan> {
  const { metadata } = table;
  const snapshot = resolveSnapshot(metadata, snapshotId === undefined ? undefined : { snapshotId });
  // Partition filters of manifests know columns by their current names; an older schema may give a name to another.
  const isCurrent = snapshot === undefined || snapshot["schema-id"] === metadata["current-schema-id"];
  const files = await selectFiles(env, metadata, { snapshotId, where: isCurrent ? where : undefined });
  return planFiles(metadata, snapshot, files, where);
}
