import type { LakeEnvironment } from "../commit/environment.ts";
import { snapshotDiff } from "../commit/snapshot-diff.ts";
import type { Table } from "../commit/table.ts";
import { snapshotById } from "../metadata/table-metadata.ts";
import { planFiles, type ScanPlan } from "./scan-plan.ts";
import type { Predicate } from "./predicate.ts";

/**
 * Plans the rows that snapshots after `from` (undefined: from the first one) up to `to` appended, as they came:
 * corrections, deletions and merging are passed over, and so is what they did to these rows later. `planChanges` tells
 * of those too.
 * @returns undefined where `from` is no ancestor of `to` or a snapshot between them has expired
 */
export async function planAppends(
  env: LakeEnvironment,
  table: Table,
  from: bigint | undefined,
  to: bigint,
  where?: Predicate,
): Promise<ScanPlan | undefined> {
  const diff = await snapshotDiff(env, table, from, to);
  if (diff === undefined) return undefined;
  const data = diff.steps.filter((step) => step.operation === "append").flatMap((step) => step.addedData);
  return planFiles(table.metadata, snapshotById(table.metadata, to), { data, deletes: [] }, where);
}
