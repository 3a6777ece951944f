import type { LakeEnvironment } from "../commit/environment.ts";
import type { SnapshotChange } from "../commit/snapshot-change.ts";
import type { Table } from "../commit/table.ts";
import type { KernelConnection } from "../kernel/duck.ts";
import type { DataFile } from "../manifest/data-file.ts";
import { stageRows } from "../parquet/stage-rows.ts";
import { scanSchema } from "../scan/scan-plan.ts";
import { scanSql } from "../scan/scan-sql.ts";
import type { MergeGroup, MergePlan } from "./plan-merge.ts";

/** Small groups are written by one statement up to this many rows. */
const ROWS_TOGETHER_MAX = 500_000;

export interface StageMergeOptions {
  readonly env: LakeEnvironment;
  readonly table: Table;
  readonly plan: MergePlan;
  /** Default: the table's sort order. */
  readonly sort?: readonly string[];
  readonly rowGroupRows?: number;
}

/**
 * Writes the files of each group as one, deleted rows left out, in the table's current schema, spec and sort order.
 * The change is a `replace`: no row is different. undefined when the plan has no groups.
 */
export async function stageMerge(
  connection: KernelConnection,
  options: StageMergeOptions,
): Promise<SnapshotChange | undefined> {
  const { env, table, plan } = options;
  if (plan.groups.length === 0) return undefined;
  const schema = scanSchema(table.metadata, undefined);
  const addedData: DataFile[] = [];
  for (const groups of statements(plan.groups)) {
    const tasks = groups.flatMap((group) => group.tasks);
    const relationSql = await scanSql({ schema, where: undefined, tasks }, { store: env.store });
    const staged = await stageRows(connection, {
      env,
      table,
      relationSql,
      // Finding the partitions reads their columns only; the rows need not be kept a second time.
      evaluateAgain: true,
      ...(options.sort === undefined ? {} : { sort: options.sort }),
      ...(options.rowGroupRows === undefined ? {} : { rowGroupRows: options.rowGroupRows }),
    });
    addedData.push(...staged);
  }
  return {
    operation: "replace",
    addedData,
    removedData: plan.groups.flatMap((group) => group.tasks.map((task) => task.file)),
    removedDeletes: plan.removedDeletes,
  };
}

/** Groups of different partitions can share a statement; two of the same would become one file. */
function statements(groups: readonly MergeGroup[]): MergeGroup[][] {
  const all: MergeGroup[][] = [];
  const open = new Map<number, { members: MergeGroup[]; rows: number; partitions: Set<string> }>();
  for (const group of groups) {
    const { specId, partition } = group.tasks[0]!.file;
    const key = JSON.stringify(partition, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
    const current = open.get(specId);
    const fits =
      current !== undefined && current.rows + group.rows <= ROWS_TOGETHER_MAX && !current.partitions.has(key);
    const target = fits ? current : { members: [], rows: 0, partitions: new Set<string>() };
    if (!fits) {
      all.push(target.members);
      open.set(specId, target);
    }
    target.members.push(group);
    target.rows += group.rows;
    target.partitions.add(key);
  }
  return all;
}
