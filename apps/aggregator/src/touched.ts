/**
 * Which windows a round touches: those of rows that came and of rows that went between two snapshots of raw.
 */
import type { Dataset } from "@firn/core";
import { type KernelConnection, type LakeEnvironment, planChanges, scanSql, type Table } from "@firn/lake";
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
  const changes = await planChanges(env, raw, from, to);
  if (changes === undefined) return undefined;
  const windows = await emptyWindows(connection, dataset);
  const columns = windowColumns(dataset);
  const reads = [
    { plan: changes.added, rows: "live" },
    { plan: changes.removed, rows: "live" },
    { plan: changes.deleted, rows: "deleted" },
  ] as const;
  for (const { plan, rows } of reads)
    for (let start = 0; start < plan.tasks.length; start += filesPerStatement) {
      const part = { ...plan, tasks: plan.tasks.slice(start, start + filesPerStatement) };
      await addWindows(connection, dataset, windows, await scanSql(part, { columns, store: env.store, rows }));
    }
  return finish(connection, windows);
}

/** Every window of raw or of the published days, within local dates where given (days since 1970, inclusive). */
export async function allWindows(
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
  for (const relation of relations)
    await addWindows(connection, dataset, windows, `SELECT * FROM (${relation})${where}`);
  return finish(connection, windows);
}

async function emptyWindows(connection: KernelConnection, dataset: Dataset): Promise<string> {
  const dimensions = dailyRollup(dataset).dimensions.map((name) => {
    const column = dataset.raw.columns.find((candidate) => candidate.name === name);
    return `"${name}" ${column?.type === "long" ? "BIGINT" : "VARCHAR"}`;
  });
  await connection.run(`CREATE OR REPLACE TABLE touched_all (${dimensions.join(", ")}, period_start DATE)`);
  return "touched_all";
}

async function addWindows(
  connection: KernelConnection,
  dataset: Dataset,
  windows: string,
  relation: string,
): Promise<void> {
  await connection.run(`INSERT INTO ${windows} ${windowsSql(dataset, `(${relation})`)}`);
}

async function finish(connection: KernelConnection, windows: string): Promise<Touched> {
  // Rows without a local date (another engine's, not yet filled in) belong to no window.
  await connection.run(
    `CREATE OR REPLACE TABLE touched AS SELECT DISTINCT * FROM ${windows} WHERE period_start IS NOT NULL`,
  );
  await connection.run(`DROP TABLE ${windows}`);
  const count = (await connection.value<number>("SELECT count(*) FROM touched")) ?? 0;
  return { windows: "touched", count };
}
