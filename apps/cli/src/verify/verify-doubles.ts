import type { TableDefinition } from "@firn/core";
import { currentSnapshot, definedIdentifier, loadTable, planScan, scanSql, sqlName } from "@firn/lake";

import { fullName } from "../lake-tables.ts";
import type { RollupVerdict, VerifyContext } from "./verify-rollup.ts";

/** Looks for identities that stand in a table more than once (promise 2). */
export async function verifyOnce(context: VerifyContext, definition: TableDefinition): Promise<RollupVerdict> {
  const { env, connection, examplesMax } = context;
  const table = await loadTable(env, definedIdentifier(definition));
  const plan = await planScan({ env, table });
  const scan = await scanSql(plan, { store: env.store, columns: definition.identity });
  const keys = definition.identity.map(sqlName).join(", ");
  await connection.run(
    `CREATE OR REPLACE TABLE identities AS SELECT ${keys}, count(*) AS copies FROM (${scan}) GROUP BY ${keys}`,
  );
  const [totals] = await connection.rows<{ rows: number; distinct_rows: number; doubles: number }>(
    `SELECT coalesce(sum(copies), 0)::BIGINT AS rows, count(*) AS distinct_rows,
      count(*) FILTER (copies > 1) AS doubles FROM identities`,
  );
  const snapshot = currentSnapshot(table.metadata)?.["snapshot-id"];
  const examples = await connection.rows<Record<string, unknown>>(
    `SELECT ${keys}, 'in the table ' || copies || ' times' AS difference FROM identities WHERE copies > 1 ORDER BY ALL LIMIT ${examplesMax}`,
  );
  return {
    table: fullName(definition),
    ok: totals?.doubles === 0,
    snapshot_id: snapshot === undefined ? null : String(snapshot),
    source_snapshot_id: null,
    rows: Number(totals?.rows ?? 0),
    windows: Number(totals?.distinct_rows ?? 0),
    differences: Number(totals?.doubles ?? 0),
    examples,
    message: null,
  };
}
