import { sourceSnapshotProperty, type Dataset, type RollupDefinition } from "@firn/core";
import {
  currentSnapshot,
  definedIdentifier,
  isLakeError,
  loadTable,
  planScan,
  scanSql,
  type KernelConnection,
  type LakeEnvironment,
  type Table,
} from "@firn/lake";

import { fullName } from "../lake-tables.ts";
import { differencesSql, TABLE, WINDOWS } from "./compare-sql.ts";
import { makePeriods, makeWindows } from "./period-bounds.ts";
import { RAW, rawColumns } from "./recompute-sql.ts";

/** What a comparison of one aggregate with raw found. */
export interface RollupVerdict {
  readonly table: string;
  readonly ok: boolean;
  /** Snapshot of the aggregate, and the one of raw that it names. */
  readonly snapshot_id: string | null;
  readonly source_snapshot_id: string | null;
  readonly rows: number;
  readonly windows: number;
  readonly differences: number;
  readonly examples: readonly Readonly<Record<string, unknown>>[];
  readonly message: string | null;
}

export interface VerifyContext {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly defaultZone: string;
  readonly examplesMax: number;
}

const ATTEMPTS = 3;

/** Recomputes one aggregate at the snapshot of raw that it names. The lake may run: both snapshots stay as they are. */
export async function verifyRollup(
  context: VerifyContext,
  dataset: Dataset,
  rollup: RollupDefinition,
): Promise<RollupVerdict> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await compare(context, dataset, rollup);
    } catch (error) {
      // The source snapshot may expire between the two looks at the catalog; the next round names a newer one.
      if (!isLakeError(error, "not_found") || attempt === ATTEMPTS) throw error;
    }
  }
}

async function compare(context: VerifyContext, dataset: Dataset, rollup: RollupDefinition): Promise<RollupVerdict> {
  const { env } = context;
  const table = await loadTable(env, definedIdentifier(rollup.table));
  const raw = await loadTable(env, definedIdentifier(dataset.raw));
  const source = table.metadata.properties?.[sourceSnapshotProperty];
  const verdict = {
    table: fullName(rollup.table),
    snapshot_id: textOf(currentSnapshot(table.metadata)?.["snapshot-id"]),
    source_snapshot_id: source ?? null,
    windows: 0,
    rows: 0,
    differences: 0,
    examples: [],
    message: null,
  };
  if (source !== undefined)
    return { ...verdict, ...(await compareAt(context, dataset, rollup, table, raw, BigInt(source))) };
  const isEmpty = currentSnapshot(raw.metadata) === undefined && currentSnapshot(table.metadata) === undefined;
  return {
    ...verdict,
    ok: isEmpty,
    message: isEmpty ? "empty, as raw is" : "names no snapshot of raw: not computed yet",
  };
}

async function compareAt(
  { env, connection, defaultZone, examplesMax }: VerifyContext,
  dataset: Dataset,
  rollup: RollupDefinition,
  table: Table,
  raw: Table,
  snapshotId: bigint,
) {
  const { store } = env;
  const rawScan = await scanSql(await planScan({ env, table: raw, snapshotId }), {
    store,
    columns: rawColumns(dataset),
  });
  const tableScan = await scanSql(await planScan({ env, table }), { store });
  await connection.run(`CREATE OR REPLACE TEMP VIEW ${RAW} AS ${rawScan}`);
  await connection.run(`CREATE OR REPLACE TEMP VIEW ${TABLE} AS ${tableScan}`);
  await makeWindows(connection, dataset, rollup, defaultZone);
  await makePeriods(connection, rollup);
  await connection.run(`CREATE OR REPLACE TABLE differences AS ${differencesSql(rollup)}`);
  const count = async (relation: string) => Number((await connection.value(`SELECT count(*) FROM ${relation}`)) ?? 0);
  const differences = await count("differences");
  return {
    ok: differences === 0,
    rows: await count(TABLE),
    windows: await count(WINDOWS),
    differences,
    examples: await connection.rows(`SELECT * FROM differences ORDER BY ALL LIMIT ${examplesMax}`),
  };
}

function textOf(id: bigint | undefined): string | null {
  return id === undefined ? null : String(id);
}
