import { daysOf, type RollupDefinition } from "@firn/core";
import { planScan, scanSql, sqlName } from "@firn/lake";
import { dimensionList, latestZoneSql, periodOfSql, periodStart, sourceColumns, zoneColumn } from "./rollup-sql.ts";
import type { RoundParts } from "./round-parts.ts";
import { rawPredicate } from "./slices.ts";

/**
 * The zone of periods whose days are of several zones: that of the latest row by instant, which lies in one of the
 * last days (a zone's date runs ahead of another's by no more than two days), so only those are read from raw.
 *
 * @param rows table of the rollup's periods, whose null zones are filled in
 * @param days relation of the day rows that they were made from
 */
export async function settleMixedZones(
  { connection, dataset, env, raw, snapshotId, defaultZone }: RoundParts,
  rollup: RollupDefinition,
  rows: string,
  days: string,
): Promise<void> {
  const mixed = await connection.value<number>(`SELECT count(*) FROM ${rows} WHERE ${zoneColumn} IS NULL`);
  if (!mixed) return;
  const dimensions = dimensionList(dataset);
  const same = (left: string, right: string) =>
    daysOf(dataset)
      .dimensions.map((name) => `${left}.${sqlName(name)} = ${right}.${sqlName(name)}`)
      .join(" AND ");
  await connection.run(`CREATE OR REPLACE TEMP TABLE slice_mixed AS
    SELECT ${dimensionList(dataset, "d")}, d.${periodStart}, ${periodOfSql(rollup, `d.${periodStart}`)} AS period
    FROM ${days} d
    JOIN (SELECT * FROM ${rows} WHERE ${zoneColumn} IS NULL) m
      ON ${same("d", "m")} AND ${periodOfSql(rollup, `d.${periodStart}`)} = m.${periodStart}
    QUALIFY d.${periodStart} >= max(d.${periodStart}) OVER (PARTITION BY ${dimensionList(dataset, "d")}, period) - 2`);
  const where = await rawPredicate(connection, dataset, "slice_mixed");
  const plan = await planScan({ env, table: raw, snapshotId, ...(where ? { where } : {}) });
  const scan = await scanSql(plan, { columns: sourceColumns(dataset), store: env.store });
  const date = sqlName(dataset.time.localDate);
  await connection.run(`UPDATE ${rows} AS r SET ${zoneColumn} = z.${zoneColumn} FROM (
      SELECT ${dimensions}, period, ${latestZoneSql(dataset, defaultZone)} AS ${zoneColumn}
      FROM (SELECT s.*, m.period FROM (${scan}) s JOIN slice_mixed m ON ${same("s", "m")} AND m.${periodStart} = s.${date})
      GROUP BY ${dimensions}, period) z
    WHERE ${same("r", "z")} AND r.${periodStart} = z.period AND r.${zoneColumn} IS NULL`);
  await connection.run("DROP TABLE slice_mixed");
}
