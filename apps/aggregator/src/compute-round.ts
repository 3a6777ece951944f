/**
 * Computes a round: the rows of a lane's rollups for the touched windows, as Parquet files staged in the warehouse. Each
 * slice is computed by itself, so memory does not grow with the round.
 */
import { daysOf, type RollupDefinition, type StagedRows } from "@firn/core";
import { checksummedName, checksumOfNewFile, sqlName, sqlString } from "@firn/lake";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { addWindowBounds } from "./window-bounds.ts";
import { dimensionList, periodOfSql, periodStart, tableRowsSql, windowKeysSql } from "./rollup-sql.ts";
import { differingRowsSql, fillPublished, publishedKeysSql } from "./published-rows.ts";
import { planSlices, type Slice } from "./slices.ts";
import { fillDayRows } from "./day-rows.ts";
import { fillPeriodRows } from "./period-rows.ts";
import { type ComputedRound, type RoundParts, stateOf, tableOf } from "./round-parts.ts";
import { fillWindows, type WindowSource } from "./window-source.ts";
import { stagingLocation } from "./staging-location.ts";

export interface RoundInput extends RoundParts {
  /** Leaves out rows that are published as they were computed. */
  readonly compare: boolean;
  /** What names the day windows to compute. */
  readonly sources: readonly WindowSource[];
}

export async function computeRound(input: RoundInput): Promise<ComputedRound> {
  const { connection, dataset, sources } = input;
  const changes = input.rollups.map((rollup) => ({
    rollup: rollup.name,
    onto: stateOf(tableOf(input, rollup)),
    upserts: [] as StagedRows[],
    deletes: [] as StagedRows[],
  }));
  const rowsByValue = new Map<string | null, number>();
  for (const source of sources)
    for (const [value, rows] of source.rowsByValue) rowsByValue.set(value, (rowsByValue.get(value) ?? 0) + rows);
  let windows = 0;
  for (const [number, slice] of planSlices(rowsByValue, input.rowsPerSlice).entries()) {
    const found = await fillWindows(connection, dataset, sources, slice, dayWindows);
    windows += found;
    if (found > 0) await computeSlice(input, slice);
    for (const [index, rollup] of input.rollups.entries()) {
      const change = changes[index];
      if (!change || found === 0) continue;
      if (input.compare)
        await fillPublished(
          { ...input, rollup, table: tableOf(input, rollup), slice },
          windowsOf(rollup),
          publishedOf(rollup),
        );
      const upserts = await stageUpserts(input, rollup, number);
      const deletes = await stageDeletes(input, rollup, number);
      if (upserts) change.upserts.push(upserts);
      if (deletes) change.deletes.push(deletes);
    }
    await dropSlice(input);
  }
  return { changes, windows };
}

const dayWindows = "slice_day_windows";
const dayRows = "slice_day_rows";
const windowsOf = (rollup: RollupDefinition) => `slice_${rollup.period}_windows`;
const rowsOf = (rollup: RollupDefinition) => `slice_${rollup.period}_rows`;
const publishedOf = (rollup: RollupDefinition) => `slice_${rollup.period}_published`;

/** Fills `slice_<period>_windows` (asked for; those of days are there) and `slice_<period>_rows` (found). */
async function computeSlice(input: RoundInput, slice: Slice): Promise<void> {
  await fillDayRows(input, slice, dayWindows, dayRows);
  for (const rollup of input.rollups) if (rollup.period !== "day") await computePeriods(input, rollup);
}

async function computePeriods(input: RoundInput, rollup: RollupDefinition): Promise<void> {
  const { connection, dataset } = input;
  const dimensions = dimensionList(dataset);
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${windowsOf(rollup)} AS
    SELECT DISTINCT ${dimensions}, ${periodOfSql(rollup, periodStart)} AS ${periodStart} FROM ${dayWindows}`);
  const same = daysOf(dataset)
    .dimensions.map((name) => `w.${sqlName(name)} = d.${sqlName(name)}`)
    .join(" AND ");
  const days = `(SELECT d.* FROM ${dayRows} d
    SEMI JOIN ${windowsOf(rollup)} w ON ${same} AND w.${periodStart} = ${periodOfSql(rollup, `d.${periodStart}`)})`;
  await fillPeriodRows(input, rollup, rowsOf(rollup), days);
}

async function stageUpserts(
  input: RoundInput,
  rollup: RollupDefinition,
  slice: number,
): Promise<StagedRows | undefined> {
  const { connection, nowUs } = input;
  const bounds = await addWindowBounds(connection, rollup, rowsOf(rollup));
  const rows = tableRowsSql(rollup, rowsOf(rollup), bounds, nowUs);
  const sql = input.compare ? differingRowsSql(rollup, rows, publishedOf(rollup)) : rows;
  return stageFile(input, rollup, `${slice}-upserts`, sql);
}

/** Windows that were asked for and hold no row any more. */
async function stageDeletes(
  input: RoundInput,
  rollup: RollupDefinition,
  slice: number,
): Promise<StagedRows | undefined> {
  const { dataset } = input;
  const same = daysOf(dataset)
    .dimensions.map((name) => `w.${sqlName(name)} = r.${sqlName(name)}`)
    .join(" AND ");
  const empty = `(SELECT w.* FROM ${windowsOf(rollup)} w ANTI JOIN ${rowsOf(rollup)} r ON ${same} AND w.${periodStart} = r.${periodStart})`;
  const keys = windowKeysSql(rollup, empty);
  const sql = input.compare ? publishedKeysSql(rollup, keys, publishedOf(rollup)) : keys;
  return stageFile(input, rollup, `${slice}-deletes`, sql);
}

async function stageFile(
  input: RoundInput,
  rollup: RollupDefinition,
  name: string,
  sql: string,
): Promise<StagedRows | undefined> {
  const { connection, env, folder, raw, roundId } = input;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${roundId}-${rollup.name}-${name}.parquet`);
  const [written] = await connection.rows<{ Count: number }>(
    `COPY (${sql}) TO ${sqlString(path)} (FORMAT parquet, COMPRESSION snappy)`,
  );
  if (!written || Number(written.Count) === 0) return undefined;
  const base = `${roundId}-${rollup.name}-${name}`;
  const location = stagingLocation(raw, checksummedName(base, await checksumOfNewFile(path), "parquet"));
  const { sizeBytes } = await env.store.adopt(path, location);
  return { location, bytes: sizeBytes, rows: Number(written.Count) };
}

async function dropSlice(input: RoundInput): Promise<void> {
  const names = input.rollups.flatMap((rollup) => [windowsOf(rollup), rowsOf(rollup), publishedOf(rollup)]);
  for (const name of [dayWindows, dayRows, ...names]) await input.connection.run(`DROP TABLE IF EXISTS ${name}`);
}
