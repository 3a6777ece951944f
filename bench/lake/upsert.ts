/**
 * Upserts by key into tables of several sizes: half of the rows replace rows of the table, half are new. Replaced rows
 * lie either among the newest, as corrections do, or anywhere, which is the worst case: without a key index every key
 * of the table is read then.
 */
import { currentFiles, sqlString, stageRows, stageUpsert, type DataFile, type Table } from "@firn/lake";
import { costOf } from "../load/cost.ts";
import { eventsSql, eventsTable, namespace, numbersSql, rowsPerDay } from "./events.ts";
import type { PyIceberg } from "./pyiceberg.ts";
import { printCost, printHeading } from "./report.ts";
import { commit, makeTable, writeSource, type Setting } from "./setting.ts";

const rowsPerCommit = 1_000_000;

export interface UpsertSize {
  readonly tableRows: number;
  readonly upsertRows: number;
}

export async function compareUpserts(setting: Setting, python: PyIceberg | undefined, sizes: readonly UpsertSize[]) {
  let files: readonly DataFile[] = [];
  let made = 0;
  for (const { tableRows, upsertRows } of sizes) {
    if (tableRows > made) files = [...files, ...(await moreFiles(setting, made, tableRows))];
    made = Math.max(made, tableRows);
    const some = filesOf(files, tableRows);
    for (const where of ["newest", "anywhere"] as const) {
      const count = (rows: number) => rows.toLocaleString("en");
      printHeading(`upsert ${count(upsertRows)} rows into ${count(tableRows)}, half of them of keys ${placeOf[where]}`);
      const name = `upsert_${tableRows}_${upsertRows}_${where}`;
      const source = await writeSource(setting, name, changedSql(tableRows, upsertRows, where));
      await ours(setting, await tableOf(setting, name, some), source, upsertRows);
      if (!python) continue;
      await tableOf(setting, `${name}_py`, some);
      const theirs = await python.run("upsert", { table: `${namespace}.${name}_py`, source });
      printCost("PyIceberg", theirs, () => `${count(theirs.count)} rows, peak ${Math.round(theirs.peakMiB)} MiB`);
    }
  }
}

const placeOf = { newest: "of the newest two days", anywhere: "anywhere in the table" };

async function ours(setting: Setting, table: Table, source: string, rows: number): Promise<void> {
  const { connection, env } = setting;
  const run = await costOf(async () => {
    const rowsSql = `SELECT * FROM read_parquet(${sqlString(source)})`;
    const upsert = await stageUpsert(connection, { env, table, rowsSql, keyColumns: ["id"] });
    await commit(setting, table, { operation: "overwrite", ...upsert });
    return upsert;
  });
  const { addedData, addedDeletes, inserted, removedData, updated } = run.result;
  if (inserted + updated !== rows) throw new Error(`${inserted} + ${updated} of ${rows} rows`);
  printCost(
    "Firn",
    { runs: [run] },
    () =>
      `${updated} replaced, ${inserted} new; ${addedData.length} data and ${addedDeletes.length} delete files written, ${removedData.length} data files rewritten`,
  );
}

/** Rows of which half have keys of the table; the changed value makes them other rows. */
function changedSql(tableRows: number, upsertRows: number, where: "newest" | "anywhere"): string {
  const half = Math.floor(upsertRows / 2);
  const span = where === "anywhere" ? tableRows : Math.min(tableRows, Math.max(rowsPerDay * 2, half));
  // Multiplying by a number that has no divisor in common with the span visits each place once.
  const old = `(SELECT ${tableRows - span} + (i * 7919) % ${span} AS n FROM range(${half}) AS numbers(i))`;
  return `${eventsSql(old, 1)} UNION ALL ${eventsSql(numbersSql(tableRows, tableRows + upsertRows - half))}`;
}

/** Writes rows `from` … `to - 1` as data files that several tables then share. */
async function moreFiles(setting: Setting, from: number, to: number): Promise<DataFile[]> {
  const { connection, env } = setting;
  const table = await makeTable(setting, eventsTable(`files_${from}`));
  const files: DataFile[] = [];
  const run = await costOf(async () => {
    for (let start = from; start < to; start += rowsPerCommit) {
      const relationSql = eventsSql(numbersSql(start, Math.min(start + rowsPerCommit, to)));
      files.push(...(await stageRows(connection, { env, table, relationSql })));
    }
  });
  console.log(`\n${(to - from).toLocaleString("en")} more rows written in ${(run.wallMs / 1000).toFixed(0)} s`);
  return files;
}

/** The files of the first so many rows: days follow each other. */
function filesOf(files: readonly DataFile[], rows: number): DataFile[] {
  const some: DataFile[] = [];
  for (let sum = 0; sum < rows; sum += some.at(-1)!.recordCount) some.push(files[some.length]!);
  return some;
}

/** A new table of files that are there already; upserting it leaves them to the next one. */
async function tableOf(setting: Setting, name: string, addedData: readonly DataFile[]): Promise<Table> {
  const table = await commit(setting, await makeTable(setting, eventsTable(name)), { operation: "append", addedData });
  const { data } = await currentFiles(setting.env, table);
  if (data.length !== addedData.length) throw new Error(`${name} has ${data.length} files`);
  return table;
}
