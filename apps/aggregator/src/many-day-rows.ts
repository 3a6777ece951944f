/**
 * Day rows of very many rows of raw.
 *
 * Comparing whole event orders (an instant and an id) costs three times what all other measures cost together. So the
 * instants alone say which row of a day is its first and its last. Days in which an instant occurs twice are looked for,
 * and made by whole orders.
 */
import { columnTypeOf, type Dataset, daysOf } from "@firn/core";
import { planScan, scanSql, sqlName } from "@firn/lake";
import { dayRowsSql, dimensionList, sourceColumns, zoneColumn, zoneSql } from "./rollup-sql.ts";
import type { RoundParts } from "./round-parts.ts";
import { type Slice, slicePredicate } from "./slices.ts";

const sliceRows = "slice_rows";
const tiedDays = "slice_tied_days";

/** Adds the slice's day rows to the table `name`, or makes it of them. */
export async function addDaysOfRaw(parts: RoundParts, slice: Slice, name: string, isNew: boolean): Promise<void> {
  const { connection, dataset, defaultZone, env, raw, snapshotId } = parts;
  const where = slicePredicate(dataset, slice);
  const plan = await planScan({ env, table: raw, snapshotId, ...(where ? { where } : {}) });
  const date = sqlName(dataset.time.localDate);
  const scan = await scanSql(plan, { columns: sourceColumns(dataset), store: env.store });
  const rows = `(SELECT * FROM (${scan}) WHERE ${date} IS NOT NULL)`;
  const add = (days: string) =>
    connection.run(isNew ? `CREATE OR REPLACE TEMP TABLE ${name} AS ${days}` : `INSERT INTO ${name} ${days}`);
  const instant = instantOf(dataset);
  if (instant === undefined) return add(dayRowsSql(dataset, rows, defaultZone));
  const day = `${dimensionList(dataset)}, ${date}`;
  try {
    await connection.run(`CREATE OR REPLACE TEMP TABLE ${sliceRows} AS
      SELECT ${keptColumns(dataset)}, ${zoneSql(dataset, defaultZone)} AS ${zoneColumn} FROM ${rows}`);
    await connection.run(`CREATE OR REPLACE TEMP TABLE ${tiedDays} AS SELECT DISTINCT ${day}
      FROM (SELECT ${day} FROM ${sliceRows} GROUP BY ${day}, ${instant} HAVING count(*) > 1)`);
    const days = (join: string, order?: string) =>
      dayRowsSql(dataset, `(SELECT * FROM ${sliceRows}${join})`, defaultZone, { order, zone: zoneColumn });
    const ties = await connection.value<number>(`SELECT count(*) FROM ${tiedDays}`);
    if (!ties) return await add(days("", instant));
    const joined = (kind: string) => ` ${kind} JOIN ${tiedDays} USING (${day})`;
    await add(`${days(joined("ANTI"), instant)} UNION ALL ${days(joined("SEMI"))}`);
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${sliceRows}; DROP TABLE IF EXISTS ${tiedDays}`);
  }
}

/** Columns of raw that days are made from, but for those that say the zone. */
function keptColumns(dataset: Dataset): string {
  const { measured, name, offsetMinutes } = dataset.time.zone ?? {};
  const zones = new Set([measured?.map, name, offsetMinutes]);
  return sourceColumns(dataset)
    .filter((column) => !zones.has(column))
    .map(sqlName)
    .join(", ");
}

/** The instant that the event order begins with, where something follows it and the order says anything about a day. */
function instantOf(dataset: Dataset): string | undefined {
  const [instant, ...rest] = dataset.eventOrder;
  const column = dataset.raw.columns.find(({ name }) => name === instant);
  // Dates are the same all day long, and null is no instant.
  if (column?.required !== true || columnTypeOf(dataset.raw, column.name) !== "timestamptz" || rest.length === 0)
    return undefined;
  const folds = daysOf(dataset).measures.map(({ fold }) => fold);
  const isOrdered = dataset.time.zone !== undefined || folds.includes("first") || folds.includes("last");
  return isOrdered ? sqlName(column.name) : undefined;
}
