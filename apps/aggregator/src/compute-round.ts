/**
 * Computes a round: the rows of every rollup for the touched windows, as Parquet files staged in the warehouse.
 *
 * Days come from rows of raw, weeks and months from days: those of this round and the published ones of days that it
 * does not touch. Each slice is computed by itself, so memory does not grow with the round.
 */
import type { Dataset, RollupChange, RollupDefinition, StagedRows } from "@firn/core";
import {
  and,
  gte,
  type KernelConnection,
  type LakeEnvironment,
  lte,
  planScan,
  type Predicate,
  scanSql,
  sqlName,
  sqlString,
  type Table,
} from "@firn/lake";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { daysOf } from "./day-measures.ts";
import { addWindowBounds } from "./window-bounds.ts";
import {
  dayRowsOfTableSql,
  dayRowsSql,
  dimensionList,
  lastDayOfPeriodSql,
  latestZoneSql,
  periodOfSql,
  periodRowsSql,
  periodStart,
  sourceColumns,
  tableRowsSql,
  windowKeysSql,
  zoneColumn,
} from "./rollup-sql.ts";
import { differingRowsSql, fillPublished, publishedKeysSql } from "./published-rows.ts";
import { dateLiteral, namedKeys, planSlices, rawPredicate, type Slice, slicePredicate } from "./slices.ts";
import { fillWindows, type WindowSource } from "./window-source.ts";

export interface RoundInput {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly dataset: Dataset;
  readonly raw: Table;
  /** Snapshot of raw that the rows shall equal. */
  readonly snapshotId: bigint;
  /** The rollups' tables as they are published, by the rollup's name. */
  readonly published: ReadonlyMap<string, Table>;
  /** Leaves out rows that are published as they were computed. */
  readonly compare: boolean;
  /** What names the day windows to compute. */
  readonly sources: readonly WindowSource[];
  readonly defaultZone: string;
  readonly nowUs: number;
  /** Rows that name the windows of one slice, about. */
  readonly rowsPerSlice: number;
  /** Names this round's files. */
  readonly roundId: string;
  /** Local folder for files before they are staged. */
  readonly folder: string;
}

export interface ComputedRound {
  readonly changes: RollupChange[];
  /** Windows of days. */
  readonly windows: number;
}

export async function computeRound(input: RoundInput): Promise<ComputedRound> {
  const { connection, dataset, sources } = input;
  const changes = dataset.rollups.map((rollup) => ({
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
    for (const [index, rollup] of dataset.rollups.entries()) {
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

function tableOf(input: RoundInput, rollup: RollupDefinition): Table {
  const table = input.published.get(rollup.name);
  if (!table) throw new Error(`the table of rollup ${rollup.name} was not loaded`);
  return table;
}

function stateOf({ metadata }: Table): RollupChange["onto"] {
  const snapshot = metadata["current-snapshot-id"];
  return { table: metadata["table-uuid"], snapshot: snapshot === undefined ? null : String(snapshot) };
}

/** Fills `slice_<period>_windows` (asked for; those of days are there) and `slice_<period>_rows` (found). */
async function computeSlice(input: RoundInput, slice: Slice): Promise<void> {
  const { connection, dataset, env, raw, snapshotId, defaultZone } = input;
  const { dimensions, published } = daysOf(dataset);
  if (published === undefined) await addDaysOfPeriods(input);
  const where = await rawPredicate(connection, dataset, dayWindows);
  const plan = await planScan({ env, table: raw, snapshotId, ...(where ? { where } : {}) });
  const rows = await scanSql(plan, { columns: sourceColumns(dataset), store: env.store });
  const date = sqlName(dataset.time.localDate);
  const matches = [
    ...dimensions.map((name) => `w.${sqlName(name)} = s.${sqlName(name)}`),
    `w.${periodStart} = s.${date}`,
  ];
  const touched = `(SELECT s.* FROM (${rows}) s SEMI JOIN ${dayWindows} w ON ${matches.join(" AND ")})`;
  await connection.run(`CREATE OR REPLACE TABLE ${dayRows} AS ${dayRowsSql(dataset, touched, defaultZone)}`);
  const rollups = dataset.rollups.filter((rollup) => rollup.period !== "day");
  if (rollups.length === 0) return;
  await fillPublishedDays(input, slice);
  for (const rollup of rollups) await computePeriods(input, rollup, publishedDays);
  await connection.run(`DROP TABLE IF EXISTS ${publishedDays}`);
}

/** Where days are not published, a touched week or month needs all of its days. */
async function addDaysOfPeriods({ connection, dataset }: RoundInput): Promise<void> {
  const days = dataset.rollups.map(
    (rollup) => `SELECT ${dimensionList(dataset)}, CAST(unnest(generate_series(CAST(period AS TIMESTAMP),
        CAST(${lastDayOfPeriodSql(rollup, "period")} AS TIMESTAMP), INTERVAL 1 DAY)) AS DATE) AS ${periodStart}
      FROM (SELECT DISTINCT ${dimensionList(dataset)}, ${periodOfSql(rollup, periodStart)} AS period FROM ${dayWindows})`,
  );
  await connection.run(`CREATE OR REPLACE TABLE ${dayWindows} AS SELECT DISTINCT * FROM (${days.join(" UNION ALL ")})`);
}

const publishedDays = "slice_published";

/** Fills a table with published day rows of the touched weeks and months that this round does not compute anew. */
async function fillPublishedDays(input: RoundInput, slice: Slice): Promise<void> {
  const { connection, dataset, env, defaultZone } = input;
  const { dimensions, published: daily } = daysOf(dataset);
  if (daily === undefined) {
    await connection.run(`CREATE OR REPLACE TABLE ${publishedDays} AS SELECT * FROM ${dayRows} WHERE false`);
    return;
  }
  const { start, timezone } = daily.periodColumns;
  const [span] = await connection.rows<{ first: number | null; last: number | null }>(
    `SELECT CAST(min(least(date_trunc('week', ${periodStart}), date_trunc('month', ${periodStart}))) AS DATE) AS first,
       max(greatest(date_trunc('week', ${periodStart})::DATE + 6, last_day(${periodStart}))) AS last
     FROM ${dayWindows}`,
  );
  const conditions: Predicate[] = [];
  if (typeof span?.first === "number" && typeof span.last === "number") {
    const literal = (day: number) => dateLiteral(daily.table, start, day);
    conditions.push(gte(start, literal(span.first)), lte(start, literal(span.last)));
  }
  const inSlice = slicePredicate(dataset, slice);
  if (inSlice) conditions.push(inSlice);
  const named = await namedKeys(connection, dataset, dayWindows);
  if (named) conditions.push(named);
  const plan = await planScan({ env, table: tableOf(input, daily), where: and(...conditions) });
  const measures = daily.measures.map((measure) => measure.column);
  const columns = [...dimensions, start, ...(timezone === undefined ? [] : [timezone]), ...measures];
  const scan = await scanSql(plan, { columns, store: env.store });
  const rows = dayRowsOfTableSql(dataset, daily, `(${scan})`, defaultZone);
  const same = [...dimensions.map(sqlName), periodStart].map((name) => `w.${name} = p.${name}`);
  await connection.run(`CREATE OR REPLACE TABLE ${publishedDays} AS
    SELECT p.* FROM (${rows}) p ANTI JOIN ${dayWindows} w ON ${same.join(" AND ")}`);
}

async function computePeriods(input: RoundInput, rollup: RollupDefinition, published: string): Promise<void> {
  const { connection, dataset } = input;
  const dimensions = dimensionList(dataset);
  await connection.run(`CREATE OR REPLACE TABLE ${windowsOf(rollup)} AS
    SELECT DISTINCT ${dimensions}, ${periodOfSql(rollup, periodStart)} AS ${periodStart} FROM ${dayWindows}`);
  const same = daysOf(dataset)
    .dimensions.map((name) => `w.${sqlName(name)} = d.${sqlName(name)}`)
    .join(" AND ");
  const days = `(SELECT d.* FROM (SELECT * FROM ${dayRows} UNION ALL BY NAME SELECT * FROM ${published}) d
    SEMI JOIN ${windowsOf(rollup)} w ON ${same} AND w.${periodStart} = ${periodOfSql(rollup, `d.${periodStart}`)})`;
  await connection.run(`CREATE OR REPLACE TABLE ${rowsOf(rollup)} AS ${periodRowsSql(dataset, rollup, days)}`);
  await settleMixedZones(input, rollup, published);
}

/**
 * The zone of periods whose days are of several zones: that of the latest row by instant, which lies in one of the
 * last days (a zone's date runs ahead of another's by no more than two days), so only those are read from raw.
 */
async function settleMixedZones(input: RoundInput, rollup: RollupDefinition, published: string): Promise<void> {
  const { connection, dataset, env, raw, snapshotId, defaultZone } = input;
  const mixed = await connection.value<number>(`SELECT count(*) FROM ${rowsOf(rollup)} WHERE ${zoneColumn} IS NULL`);
  if (!mixed) return;
  const dimensions = dimensionList(dataset);
  const same = (left: string, right: string) =>
    daysOf(dataset)
      .dimensions.map((name) => `${left}.${sqlName(name)} = ${right}.${sqlName(name)}`)
      .join(" AND ");
  await connection.run(`CREATE OR REPLACE TABLE slice_mixed AS
    SELECT ${dimensionList(dataset, "d")}, d.${periodStart}, ${periodOfSql(rollup, `d.${periodStart}`)} AS period
    FROM (SELECT * FROM ${dayRows} UNION ALL BY NAME SELECT * FROM ${published}) d
    JOIN (SELECT * FROM ${rowsOf(rollup)} WHERE ${zoneColumn} IS NULL) m
      ON ${same("d", "m")} AND ${periodOfSql(rollup, `d.${periodStart}`)} = m.${periodStart}
    QUALIFY d.${periodStart} >= max(d.${periodStart}) OVER (PARTITION BY ${dimensionList(dataset, "d")}, period) - 2`);
  const where = await rawPredicate(connection, dataset, "slice_mixed");
  const plan = await planScan({ env, table: raw, snapshotId, ...(where ? { where } : {}) });
  const rows = await scanSql(plan, { columns: sourceColumns(dataset), store: env.store });
  const date = sqlName(dataset.time.localDate);
  await connection.run(`UPDATE ${rowsOf(rollup)} AS r SET ${zoneColumn} = z.${zoneColumn} FROM (
      SELECT ${dimensions}, period, ${latestZoneSql(dataset, defaultZone)} AS ${zoneColumn}
      FROM (SELECT s.*, m.period FROM (${rows}) s JOIN slice_mixed m ON ${same("s", "m")} AND m.${periodStart} = s.${date})
      GROUP BY ${dimensions}, period) z
    WHERE ${same("r", "z")} AND r.${periodStart} = z.period AND r.${zoneColumn} IS NULL`);
  await connection.run("DROP TABLE slice_mixed");
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
  const location = `${raw.metadata.location}/staging/${roundId}-${rollup.name}-${name}.parquet`;
  const { sizeBytes } = await env.store.adopt(path, location);
  return { location, bytes: sizeBytes, rows: Number(written.Count) };
}

async function dropSlice(input: RoundInput): Promise<void> {
  const names = input.dataset.rollups.flatMap((rollup) => [windowsOf(rollup), rowsOf(rollup), publishedOf(rollup)]);
  for (const name of [dayWindows, dayRows, ...names]) await input.connection.run(`DROP TABLE IF EXISTS ${name}`);
}
