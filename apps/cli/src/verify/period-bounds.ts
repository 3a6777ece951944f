import { formatDate, localWindow, periodOf, zoneByName, type RollupDefinition } from "@firn/core";
import { sqlString, type KernelConnection } from "@firn/lake";

import { PERIODS, recomputeSql } from "./recompute-sql.ts";
import { WINDOWS } from "./compare-sql.ts";
import type { Dataset } from "@firn/core";

const ROWS_PER_INSERT = 2_000;

/** Makes the relation of recomputed windows. */
export async function makeWindows(
  connection: KernelConnection,
  dataset: Dataset,
  rollup: RollupDefinition,
  defaultZone: string,
): Promise<void> {
  await connection.run(`CREATE OR REPLACE TABLE ${WINDOWS} AS ${recomputeSql(dataset, rollup, defaultZone)}`);
}

/** Makes the relation of periods and zones of the windows: how each is written in the table, by the product's calendar. */
export async function makePeriods(connection: KernelConnection, rollup: RollupDefinition): Promise<void> {
  const pairs = await connection.rows<{ day: number | null; zone: string }>(
    `SELECT DISTINCT period - DATE '1970-01-01' AS day, zone FROM ${WINDOWS}`,
  );
  await connection.run(
    `CREATE OR REPLACE TABLE ${PERIODS} (period DATE, zone VARCHAR, start_text VARCHAR, end_text VARCHAR,
      year BIGINT, number BIGINT, window_start TIMESTAMPTZ, window_end TIMESTAMPTZ)`,
  );
  const rows = pairs.flatMap(({ day, zone }) => (day === null ? [] : [periodRow(rollup, day, zone)]));
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    await connection.run(`INSERT INTO ${PERIODS} VALUES ${rows.slice(from, from + ROWS_PER_INSERT).join(", ")}`);
  }
}

function periodRow(rollup: RollupDefinition, day: number, zoneName: string): string {
  const { firstDay, lastDay, year, number } = periodOf(rollup.period, day);
  // A name that another engine wrote and no database knows counts as UTC.
  const zone = zoneByName(zoneName) ?? zoneByName("UTC");
  if (zone === undefined) throw new Error("the time-zone database does not know UTC");
  const { startUs, endUs } = localWindow(zone, firstDay, lastDay);
  return `(DATE '1970-01-01' + ${day}, ${sqlString(zoneName)}, ${sqlString(formatDate(firstDay))}, ${sqlString(formatDate(lastDay))},
    ${year}, ${number}, make_timestamptz(${startUs}), make_timestamptz(${endUs}))`;
}
