import type { RollupDefinition } from "@firn/core";
import { settleMixedZones } from "./mixed-zones.ts";
import { exactDeviationsSql, periodRowsSql } from "./rollup-sql.ts";
import type { RoundParts } from "./round-parts.ts";

/** Makes the table `rows` of a rollup's weeks or months from a relation of all of their days. */
export async function fillPeriodRows(
  parts: RoundParts,
  rollup: RollupDefinition,
  rows: string,
  days: string,
): Promise<void> {
  const { connection, dataset } = parts;
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${rows} AS ${periodRowsSql(dataset, rollup, days)}`);
  await settleMixedZones(parts, rollup, rows, days);
  const exact = exactDeviationsSql(dataset, rollup, rows, days);
  if (exact === undefined) return;
  const missing = await connection.value<number>(`SELECT count(*) FROM ${rows} WHERE ${exact.missing}`);
  if (missing) for (const update of exact.updates) await connection.run(update);
}
