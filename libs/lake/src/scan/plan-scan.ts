import type { LakeEnvironment } from "../commit/environment.ts";
import { selectFiles } from "../commit/current-files.ts";
import type { Table } from "../commit/table.ts";
import type { Schema } from "../metadata/schema.ts";
import type { Snapshot, SnapshotRef } from "../metadata/snapshot.ts";
import { currentSchema, schemaById, type TableMetadata } from "../metadata/table-metadata.ts";
import { resolveSnapshot, type SnapshotChoice } from "./resolve-snapshot.ts";
import type { Predicate } from "./predicate.ts";
import { planFiles, scanSchema, type ScanPlan } from "./scan-plan.ts";

export interface PlanScanOptions {
  readonly env: LakeEnvironment;
  readonly table: Table;
  /** Default: the current snapshot of main. */
  readonly snapshotId?: bigint | undefined;
  /** The same by time, branch or tag. */
  readonly at?: SnapshotChoice | undefined;
  /** Rows that are wanted. Names are those of the snapshot's schema. */
  readonly where?: Predicate | undefined;
}

/**
 * Plans which files a scan reads: manifests and files are left out by partition, files by column bounds, and each file
 * gets the delete files that apply to it. Manifests come from the environment's cache.
 */
export async function planScan({ env, table, snapshotId, at, where }: PlanScanOptions): Promise<ScanPlan> {
  const { metadata } = table;
  const choice = at ?? (snapshotId === undefined ? undefined : { snapshotId });
  const snapshot = resolveSnapshot(metadata, choice);
  // The specification reads a branch with the table's schema, as it would be written to; the past with its own.
  const ref = choice !== undefined && "ref" in choice ? metadata.refs[choice.ref] : undefined;
  const schema = ref === undefined ? scanSchema(metadata, snapshot) : schemaOfRef(metadata, ref, snapshot);
  // Partition filters of manifests know columns by their current names; an older schema may give a name to another.
  const isCurrent = schema["schema-id"] === metadata["current-schema-id"];
  const selected = { snapshotId: snapshot?.["snapshot-id"], where: isCurrent ? where : undefined };
  const files = await selectFiles(env, metadata, selected);
  return planFiles(metadata, snapshot, files, where, schema);
}

function schemaOfRef(metadata: TableMetadata, ref: SnapshotRef, snapshot: Snapshot | undefined): Schema {
  const own = snapshot?.["schema-id"];
  return ref.type === "branch" || own === undefined ? currentSchema(metadata) : schemaById(metadata, own);
}
