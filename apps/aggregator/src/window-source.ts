/**
 * Which windows of days a round computes, slice by slice, so that memory does not grow with the round: a slice is some
 * values of the dimension that raw is partitioned by, and reads files of its own.
 */
import { columnTypeOf, type Dataset, daysOf, type RollupDefinition } from "@firn/core";
import {
  type KernelConnection,
  type LakeEnvironment,
  planChanges,
  planScan,
  scanSql,
  type ScanPlan,
  sqlName,
  type Table,
} from "@firn/lake";
import { dimensionList, lastDayOfPeriodSql, periodStart, windowsSql } from "./rollup-sql.ts";
import { type Slice, slicePredicate, slicingDimension, valueText } from "./slices.ts";

export interface WindowSource {
  /** Rows that name windows, by value of the slicing dimension; `null` where a file does not say. */
  readonly rowsByValue: ReadonlyMap<string | null, number>;
  /** Relations (dimensions, local date column) that name the slice's windows, some of them more than once. */
  relations(slice: Slice): Promise<string[]>;
}

const filesPerStatement = 2_000;

function windowColumns(dataset: Dataset): string[] {
  return [...new Set([...daysOf(dataset).dimensions, dataset.time.localDate])];
}

/**
 * Windows of rows that came or went between two snapshots of raw; undefined when the snapshots between them are gone.
 * Files that merging has replaced since are read where they still lie.
 */
export async function changedWindows(
  env: LakeEnvironment,
  dataset: Dataset,
  raw: Table,
  from: bigint,
  to: bigint,
): Promise<WindowSource | undefined> {
  const changes = await planChanges(env, raw, from, to);
  if (changes === undefined) return undefined;
  const reads = [
    { plan: changes.added, rows: "live" },
    { plan: changes.removed, rows: "live" },
    { plan: changes.deleted, rows: "deleted" },
  ] as const;
  const byValue = rowsByValue(dataset, [changes.added, changes.removed]);
  addDeletedRows(dataset, changes.deleted, byValue);
  return {
    rowsByValue: byValue,
    async relations(slice) {
      const relations: string[] = [];
      for (const { plan, rows } of reads)
        relations.push(...(await scanParts(env, dataset, sliceOf(dataset, plan, slice), rows)));
      return relations;
    },
  };
}

/** Local dates as YYYY-MM-DD, inclusive. */
export interface DateRange {
  readonly from?: string;
  readonly to?: string;
}

/** Windows that raw has or that are published, within local dates where given. */
export async function allWindows(
  env: LakeEnvironment,
  connection: KernelConnection,
  dataset: Dataset,
  raw: Table,
  to: bigint,
  published: ReadonlyMap<string, Table>,
  range: DateRange,
): Promise<WindowSource> {
  const plan = await planScan({ env, table: raw, snapshotId: to });
  const byValue = rowsByValue(dataset, [plan]);
  const rollups = dataset.rollups.flatMap((rollup) => {
    const table = published.get(rollup.name);
    return table ? [{ rollup, table }] : [];
  });
  for (const { table } of rollups)
    for (const value of await publishedValues(env, connection, dataset, table))
      byValue.set(value, byValue.get(value) ?? 0);
  const date = sqlName(dataset.time.localDate);
  const conditions = [
    ...(range.from === undefined ? [] : [`${date} >= DATE '${range.from}'`]),
    ...(range.to === undefined ? [] : [`${date} <= DATE '${range.to}'`]),
  ];
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "";
  return {
    rowsByValue: byValue,
    async relations(slice) {
      const relations = await scanParts(env, dataset, sliceOf(dataset, plan, slice), "live");
      for (const { rollup, table } of rollups)
        relations.push(await publishedSql(env, dataset, rollup, table, slice, range));
      return relations.map((relation) => `SELECT * FROM (${relation})${where}`);
    },
  };
}

/** Fills the table `name` (dimensions, period_start) with the slice's windows of all sources, each once. */
export async function fillWindows(
  connection: KernelConnection,
  dataset: Dataset,
  sources: readonly WindowSource[],
  slice: Slice,
  name: string,
): Promise<number> {
  const relations = (await Promise.all(sources.map((source) => source.relations(slice)))).flat();
  const windows = relations.map((relation) => windowsSql(dataset, `(${relation})`));
  if (windows.length === 0) return 0;
  // Rows without a local date (another engine's, not yet filled in) belong to no window.
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${name} AS SELECT DISTINCT * FROM (${windows.join("\nUNION ALL\n")}) WHERE ${periodStart} IS NOT NULL`,
  );
  return (await connection.value<number>(`SELECT count(*) FROM ${name}`)) ?? 0;
}

function sliceField(dataset: Dataset): string | undefined {
  const dimension = slicingDimension(dataset);
  return dataset.raw.partition.find((field) => field.source === dimension && field.transform === "identity")?.name;
}

/** Rows of the planned files by value of the slicing dimension; `null` where a file does not say. */
export function rowsByValue(dataset: Dataset, plans: readonly ScanPlan[]): Map<string | null, number> {
  const rows = new Map<string | null, number>();
  for (const plan of plans) for (const { file } of plan.tasks) add(rows, valueOf(dataset, file), file.recordCount);
  return rows;
}

/**
 * Adds the rows that the plan's delete files name, each file once: of a large file only few rows may have gone. Delete
 * files that took others over name rows of those too, so it may be more than there are.
 */
function addDeletedRows(dataset: Dataset, plan: ScanPlan, rows: Map<string | null, number>): void {
  const seen = new Set<unknown>();
  for (const { file, deletes, equalityDeletes = [] } of plan.tasks) {
    const key = valueOf(dataset, file);
    add(rows, key, 0);
    for (const one of [...deletes, ...equalityDeletes.flatMap(({ files }) => files)]) {
      if (!seen.has(one)) add(rows, key, one.recordCount);
      seen.add(one);
    }
  }
}

function add(rows: Map<string | null, number>, key: string | null, more: number): void {
  rows.set(key, (rows.get(key) ?? 0) + more);
}

/** A file's value of the slicing dimension; null where it does not say. */
function valueOf(dataset: Dataset, { partition }: ScanPlan["tasks"][number]["file"]): string | null {
  const field = sliceField(dataset);
  const value = field === undefined ? undefined : partition[field];
  return value === undefined || value === null ? null : String(value as string);
}

function sliceOf(dataset: Dataset, plan: ScanPlan, slice: Slice): ScanPlan {
  const field = sliceField(dataset);
  if (slice.values === undefined || field === undefined) return plan;
  const values = new Set<unknown>(slice.values);
  return { ...plan, tasks: plan.tasks.filter(({ file }) => values.has(file.partition[field])) };
}

async function scanParts(
  env: LakeEnvironment,
  dataset: Dataset,
  plan: ScanPlan,
  rows: "live" | "deleted",
): Promise<string[]> {
  const parts: string[] = [];
  for (let start = 0; start < plan.tasks.length; start += filesPerStatement) {
    const part = { ...plan, tasks: plan.tasks.slice(start, start + filesPerStatement) };
    parts.push(await scanSql(part, { columns: windowColumns(dataset), store: env.store, rows }));
  }
  return parts;
}

/**
 * Days (dimensions, local date) that name the published periods of a rollup: a week or month is named by its first day
 * in the range, so that one whose days are all gone is computed too, and found empty.
 */
async function publishedSql(
  env: LakeEnvironment,
  dataset: Dataset,
  rollup: RollupDefinition,
  table: Table,
  slice: Slice,
  range: DateRange,
): Promise<string> {
  const where = slicePredicate(dataset, slice);
  const plan = await planScan({ env, table, ...(where ? { where } : {}) });
  const columns = [...rollup.dimensions, rollup.periodColumns.start];
  const start = `CAST(${sqlName(rollup.periodColumns.start)} AS DATE)`;
  const from = range.from === undefined ? undefined : `DATE '${range.from}'`;
  const day = from === undefined ? start : `greatest(${start}, ${from})`;
  const reaches = from === undefined ? "" : ` WHERE ${lastDayOfPeriodSql(rollup, start)} >= ${from}`;
  return `SELECT ${dimensionList(dataset)}, ${day} AS ${sqlName(dataset.time.localDate)}
    FROM (${await scanSql(plan, { columns, store: env.store })})${reaches}`;
}

async function publishedValues(
  env: LakeEnvironment,
  connection: KernelConnection,
  dataset: Dataset,
  table: Table,
): Promise<string[]> {
  const dimension = slicingDimension(dataset);
  if (dimension === undefined) return [];
  const plan = await planScan({ env, table });
  const scan = await scanSql(plan, { columns: [dimension], store: env.store });
  const rows = await connection.rows<{ value: string }>(
    `SELECT DISTINCT ${valueText(columnTypeOf(dataset.raw, dimension), sqlName(dimension))} AS value FROM (${scan})`,
  );
  return rows.map((row) => String(row.value));
}
