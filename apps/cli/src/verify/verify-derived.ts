import type { NeighbourColumn, RecordTable } from "@firn/core";
import { currentSnapshot, definedIdentifier, loadTable, planScan, scanSql, sqlName } from "@firn/lake";

import { fullName } from "../lake-tables.ts";
import type { RollupVerdict, VerifyContext } from "./verify-rollup.ts";

/** Computes the column that depends on the row before it anew, from the whole table, and compares. */
export async function verifyDerived(
  { env, connection, examplesMax }: VerifyContext,
  { definition }: RecordTable,
  derived: NeighbourColumn,
): Promise<RollupVerdict> {
  const { column, of, order, series } = derived;
  const table = await loadTable(env, definedIdentifier(definition));
  const columns = [...series, order, of, column];
  const scan = await scanSql(await planScan({ env, table }), { store: env.store, columns });
  const [stored, source] = [sqlName(column), sqlName(of)];
  const keys = [...series, order].map(sqlName).join(", ");
  await connection.run(
    `CREATE OR REPLACE TABLE derived_values AS SELECT ${keys}, ${stored} AS stored,
      CASE WHEN before <> 0 THEN ${source} / before - 1 END AS fresh
     FROM (SELECT *, lag(${source}) OVER (PARTITION BY ${series.map(sqlName).join(", ")} ORDER BY ${sqlName(order)}) AS before
           FROM (${scan}))`,
  );
  const [totals] = await connection.rows<{ rows: number; wrong: number }>(
    "SELECT count(*) AS rows, count(*) FILTER (stored IS DISTINCT FROM fresh) AS wrong FROM derived_values",
  );
  const examples = await connection.rows<Record<string, unknown>>(
    `SELECT CAST(COLUMNS(c -> c NOT IN ('stored', 'fresh')) AS VARCHAR),
      concat('${column} is ', coalesce(CAST(stored AS VARCHAR), 'null'), ', must be ',
        coalesce(CAST(fresh AS VARCHAR), 'null')) AS difference
     FROM derived_values WHERE stored IS DISTINCT FROM fresh ORDER BY ALL LIMIT ${examplesMax}`,
  );
  const snapshot = currentSnapshot(table.metadata)?.["snapshot-id"];
  const rows = Number(totals?.rows ?? 0);
  const wrong = Number(totals?.wrong ?? 0);
  return {
    table: `${fullName(definition)}.${column}`,
    ok: wrong === 0,
    snapshot_id: snapshot === undefined ? null : String(snapshot),
    source_snapshot_id: null,
    rows,
    windows: rows,
    differences: wrong,
    examples,
    message: wrong === 0 ? `${rows.toLocaleString("en-US")} rows, each as its neighbour says` : null,
  };
}
