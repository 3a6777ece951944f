/**
 * Which windows a round touches: those of rows that came and of rows that went between two snapshots of raw.
 */
import type { Dataset } from "@firn/core";
import {
  type KernelConnection,
  type LakeEnvironment,
  planScan,
  positionDeletesSql,
  scanSql,
  type ScanPlan,
  snapshotDiff,
  type Table,
} from "@firn/lake";
import { dailyRollup, windowsSql } from "./rollup-sql.ts";

export interface Touched {
  /** DuckDB table (dimensions, period_start) of day windows. */
  readonly windows: string;
  readonly count: number;
}

const filesPerStatement = 2_000;

function windowColumns(dataset: Dataset): string[] {
  return [...dailyRollup(dataset).dimensions, dataset.time.localDate];
}

/**
 * Windows of day that differ between two snapshots; undefined when the snapshots between them are gone.
 * Files that merging has replaced since are read where they still lie.
 */
export async function touchedWindows(
  env: LakeEnvironment,
  connection: KernelConnection,
  dataset: Dataset,
  raw: Table,
  from: bigint,
  to: bigint,
): Promise<Touched | undefined> {
  const diff = await snapshotDiff(env, raw, from, to);
  if (diff === undefined) return undefined;
  const windows = await emptyWindows(connection, dataset);
  const plan = await planScan({ env, table: raw, snapshotId: to });
  const columns = windowColumns(dataset);
  const files = [...diff.addedData, ...diff.removedData];
  for (let start = 0; start < files.length; start += filesPerStatement) {
    const tasks = files.slice(start, start + filesPerStatement).map((file) => ({ file, deletes: [] }));
    const part: ScanPlan = { ...plan, tasks };
    await addWindows(connection, dataset, windows, await scanSql(part, { columns, store: env.store }));
  }
  if (diff.addedDeletes.length > 0)
    await addWindows(connection, dataset, windows, await positionDeletesSql(env, plan, diff.addedDeletes, columns));
  return finish(connection, dataset, windows);
}

/** Every window of raw or of the published days, within local dates where given (days since 1970, inclusive). */
export async function allWindows(
  env: LakeEnvironment,
  connection: KernelConnection,
  dataset: Dataset,
  relations: readonly string[],
  range?: { readonly from?: string; readonly to?: string },
): Promise<Touched> {
  const windows = await emptyWindows(connection, dataset);
  const date = `"${dataset.time.localDate}"`;
  const conditions = [
    ...(range?.from === undefined ? [] : [`${date} >= DATE '${range.from}'`]),
    ...(range?.to === undefined ? [] : [`${date} <= DATE '${range.to}'`]),
  ];
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "";
  for (const relation of relations) await addWindows(connection, dataset, windows, `SELECT * FROM (${relation})${where}`);
  return finish(connection, dataset, windows);
}

async function emptyWindows(connection: KernelConnection, dataset: Dataset): Promise<string> {
  const dimensions = dailyRollup(dataset).dimensions.map((name) => {
    const column = dataset.raw.columns.find((candidate) => candidate.name === name);
    return `"${name}" ${column?.type === "long" ? "BIGINT" : "VARCHAR"}`;
  });
  await connection.run(`CREATE OR REPLACE TABLE touched_all (${dimensions.join(", ")}, period_start DATE)`);
  return "touched_all";
}

async function addWindows(connection: KernelConnection, dataset: Dataset, windows: string, relation: string): Promise<void> {
  await connection.run(`INSERT INTO ${windows} ${windowsSql(dataset, `(${relation})`)}`);
}

async function finish(connection: KernelConnection, dataset: Dataset, windows: string): Promise<Touched> {
  // Rows without a local date (another engine's, not yet filled in) belong to no window.
  await connection.run(
    `CREATE OR REPLACE TABLE touched AS SELECT DISTINCT * FROM ${windows} WHERE period_start IS NOT NULL`,
  );
  await connection.run(`DROP TABLE ${windows}`);
  const count = (await connection.value<number>("SELECT count(*) FROM touched")) ?? 0;
  return { windows: "touched", count };
}
