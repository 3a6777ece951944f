/**
 * A round that makes the rollups' tables whole from all rows of raw, or from all published days: cheaper than window by
 * window where a good part of raw is new, as in a backfill. No windows are looked up, and rows are written once: the
 * files are staged as the tables lay them out, and the writer takes them as they are.
 */
import type { PartitionFieldDefinition, RollupChange, RollupDefinition, StagedRows } from "@firn/core";
import {
  currentSnapshot,
  encodeDataFiles,
  planScan,
  scanSql,
  type ScanPlan,
  type ScanTask,
  snapshotById,
  stageRows,
  type Table,
} from "@firn/lake";
import { publishedDaysSql } from "./day-rows.ts";
import { fillPeriodRows } from "./period-rows.ts";
import { keepUpdatedAtSql } from "./published-rows.ts";
import { addDaysOfRaw } from "./many-day-rows.ts";
import { tableRowsSql } from "./rollup-sql.ts";
import { type ComputedRound, type RoundParts, stateOf, tableOf } from "./round-parts.ts";
import { planSlices } from "./slices.ts";
import { addWindowBounds } from "./window-bounds.ts";
import { rowsByValue } from "./window-source.ts";
import { stagedListLocation } from "./staging-location.ts";

/** A round that reads this part of raw or more, to name its windows, reads all of it instead. */
const wholeShareMin = 0.2;
/** Fewer rows are quickly done window by window. */
const wholeRowsMinDefault = 20_000;

/**
 * Whether the tables are made whole: where they have no rows yet, and where much of raw changed.
 * @param changedRows rows that came or went since the tables' base; undefined: the tables have no base
 */
export function isWholeCheaper(
  raw: Table,
  snapshotId: bigint,
  tables: readonly Table[],
  changedRows: number | undefined,
  rowsMin = wholeRowsMinDefault,
): boolean {
  if (rowsMin === Infinity) return false;
  if (changedRows === undefined) return tables.every((table) => !hasRows(table));
  const rows = Number(snapshotById(raw.metadata, snapshotId)?.summary?.["total-records"] ?? Infinity);
  return changedRows >= rowsMin && changedRows >= wholeShareMin * rows;
}

function hasRows({ metadata }: Table): boolean {
  const snapshot = currentSnapshot(metadata);
  return snapshot !== undefined && snapshot.summary?.["total-records"] !== "0";
}

const dayRows = "slice_day_rows";
const wholeOf = (rollup: RollupDefinition) => `whole_${rollup.period}_rows`;

export async function computeWholeRound(parts: RoundParts): Promise<ComputedRound> {
  const { connection, rollups } = parts;
  try {
    let windows = 0;
    for (const [number, addDays] of (await planParts(parts)).entries())
      windows += await addPart(parts, addDays, number === 0);
    const changes: RollupChange[] = [];
    for (const rollup of rollups) changes.push(await stageWhole(parts, rollup));
    return { changes, windows };
  } finally {
    const names = rollups.flatMap((rollup) => [wholeOf(rollup), sliceOf(rollup)]);
    for (const name of [dayRows, ...names]) await connection.run(`DROP TABLE IF EXISTS ${name}`);
  }
}

const sliceOf = (rollup: RollupDefinition) => (rollup.period === "day" ? dayRows : `slice_${rollup.period}_rows`);

/** Adds a part of the days to a table, or makes it of them. */
type AddDays = (name: string, isNew: boolean) => Promise<void>;

/** Parts that together are all days; what one has of a key (values of the dimensions) no other has. */
async function planParts(parts: RoundParts): Promise<AddDays[]> {
  const { connection, dataset, days, env, raw, rowsPerSlice, snapshotId } = parts;
  if (days) {
    const plan = await planScan({ env, table: tableOf(parts, days) });
    const keyFields = days.table.partition.filter((field) => days.dimensions.includes(field.source));
    return groupTasks(plan, keyFields, rowsPerSlice).map((tasks) => async (name, isNew) => {
      const rows = await publishedDaysSql(parts, days, { ...plan, tasks });
      await connection.run(isNew ? `CREATE OR REPLACE TEMP TABLE ${name} AS ${rows}` : `INSERT INTO ${name} ${rows}`);
    });
  }
  const slices = planSlices(rowsByValue(dataset, [await planScan({ env, table: raw, snapshotId })]), rowsPerSlice);
  return (slices.length === 0 ? [{ values: undefined }] : slices).map(
    (slice) => (name, isNew) => addDaysOfRaw(parts, slice, name, isNew),
  );
}

/** Files of the same values of the partition's key fields stay together; all in one group where a file does not say. */
function groupTasks(plan: ScanPlan, keyFields: readonly PartitionFieldDefinition[], rowsMax: number): ScanTask[][] {
  const specs = new Set(plan.tasks.map(({ file }) => file.specId));
  if (specs.size > 1) return [[...plan.tasks]];
  const byKey = new Map<string, ScanTask[]>();
  for (const task of plan.tasks) {
    const values = keyFields.map((field) => task.file.partition[field.name] ?? null);
    if (values.length === 0 || values.includes(null)) return [[...plan.tasks]];
    const key = values.map(String).join("\0");
    byKey.set(key, [...(byKey.get(key) ?? []), task]);
  }
  const groups: ScanTask[][] = [[]];
  let rows = 0;
  for (const tasks of byKey.values()) {
    const more = tasks.reduce((sum, { file }) => sum + file.recordCount, 0);
    if (rows > 0 && rows + more > rowsMax) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)?.push(...tasks);
    rows += more;
  }
  return groups;
}

/** Adds a part's rows to the `whole_…` tables. Returns how many days it has. */
async function addPart(parts: RoundParts, addDays: AddDays, isFirst: boolean): Promise<number> {
  const { connection, rollups } = parts;
  const rowsOf = async (table: string) => (await connection.value<number>(`SELECT count(*) FROM ${table}`)) ?? 0;
  const [only, ...others] = rollups;
  if (only?.period === "day" && others.length === 0) {
    const before = isFirst ? 0 : await rowsOf(wholeOf(only));
    await addDays(wholeOf(only), isFirst);
    return (await rowsOf(wholeOf(only))) - before;
  }
  await addDays(dayRows, true);
  for (const rollup of rollups) {
    const name = sliceOf(rollup);
    if (rollup.period !== "day") await fillPeriodRows(parts, rollup, name, dayRows);
    const whole = wholeOf(rollup);
    await connection.run(
      isFirst
        ? `CREATE OR REPLACE TEMP TABLE ${whole} AS SELECT * FROM ${name}`
        : `INSERT INTO ${whole} SELECT * FROM ${name}`,
    );
  }
  return rowsOf(dayRows);
}

/** Stages the table's new files and the list that names them. */
async function stageWhole(parts: RoundParts, rollup: RollupDefinition): Promise<RollupChange> {
  const { connection, env, nowUs, raw, roundId } = parts;
  const table = tableOf(parts, rollup);
  const whole = wholeOf(rollup);
  const rows = tableRowsSql(rollup, whole, await addWindowBounds(connection, rollup, whole), nowUs);
  const files = await stageRows(connection, {
    env,
    table,
    relationSql: hasRows(table) ? keepUpdatedAtSql(rollup, rows, await publishedSql(parts, table)) : rows,
    evaluateAgain: !hasRows(table),
    sort: rollup.table.sort,
  });
  await connection.run(`DROP TABLE ${whole}`);
  const list = encodeDataFiles(files);
  const location = stagedListLocation(raw, `${roundId}-${rollup.name}-files`, list);
  await env.store.put(location, list);
  const staged: StagedRows = {
    location,
    bytes: list.byteLength,
    rows: files.reduce((sum, file) => sum + file.recordCount, 0),
  };
  return { rollup: rollup.name, onto: stateOf(table), upserts: [], deletes: [], whole: staged };
}

async function publishedSql({ env }: RoundParts, table: Table): Promise<string> {
  return scanSql(await planScan({ env, table }), { store: env.store });
}
