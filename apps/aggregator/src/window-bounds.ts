/**
 * The instants at which local periods start and end, by the product's one time-zone database (never DuckDB's).
 */
import { localWindow, periodOf, type RollupDefinition, zoneByName } from "@firn/core";
import { type KernelConnection, sqlString } from "@firn/lake";
import { hasBounds, periodStart, zoneColumn } from "./rollup-sql.ts";

const valuesPerInsert = 5_000;
const cacheEntriesMax = 200_000;
const cache = new Map<string, string>();

/**
 * Makes the table `bounds` (period_start, zone, window_start, window_end) for every period and zone of the rows; none
 * for a rollup that has no columns for it.
 */
export async function addWindowBounds(
  connection: KernelConnection,
  rollup: RollupDefinition,
  rows: string,
): Promise<string | undefined> {
  if (!hasBounds(rollup)) return undefined;
  const pairs = await connection.rows<{ day: number; zone: string }>(
    `SELECT DISTINCT ${periodStart} - DATE '1970-01-01' AS day, ${zoneColumn} AS zone FROM ${rows}`,
  );
  await connection.run(
    "CREATE OR REPLACE TEMP TABLE bounds (period_start DATE, zone VARCHAR, window_start TIMESTAMPTZ, window_end TIMESTAMPTZ)",
  );
  for (let start = 0; start < pairs.length; start += valuesPerInsert) {
    const values = pairs.slice(start, start + valuesPerInsert).map((pair) => boundsOf(rollup, pair.day, pair.zone));
    await connection.run(`INSERT INTO bounds VALUES ${values.join(", ")}`);
  }
  return "bounds";
}

function boundsOf(rollup: RollupDefinition, day: number, zoneName: string): string {
  const key = `${rollup.period}/${day}/${zoneName}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const period = periodOf(rollup.period, day);
  // A zone that another engine wrote and no database knows is read as UTC.
  const zone = zoneByName(zoneName) ?? zoneByName("UTC");
  if (!zone) throw new Error("the time-zone database does not know UTC");
  const { startUs, endUs } = localWindow(zone, period.firstDay, period.lastDay);
  const text = `(DATE '1970-01-01' + ${day}, ${sqlString(zoneName)}, make_timestamptz(${startUs}), make_timestamptz(${endUs}))`;
  if (cache.size >= cacheEntriesMax) cache.clear();
  cache.set(key, text);
  return text;
}
