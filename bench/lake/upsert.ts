/**
 * Upserts by key into tables of several sizes: half of the rows replace rows of the table, half are new. Replaced rows
 * lie either among the newest, as corrections do, or anywhere, which is the worst case: without a key index every key
 * of the table is read then.
 */
import { currentFiles, sqlString, stageRows, stageUpsert, type DataFile, type Table } from "@firn/lake";
import { costOf } from "../load/cost.ts";
import { eventsSql, eventsTable, namespace, numbersSql, rowsPerDay } from "./events.ts";
import type { OtherEngines } from "./other-engines.ts";
import type { PyIceberg } from "./pyiceberg.ts";
import { printCost, printHeading } from "./report.ts";
import { commit, makeTable, writeSource, type Setting } from "./setting.ts";
import { sparkSource, sparkTable, type Spark } from "./spark.ts";

const rowsPerCommit = 1_000_000;

export interface UpsertSize {
  readonly tableRows: number;
  readonly upsertRows: number;
}

export async function compareUpserts(setting: Setting, others: OtherEngines, sizes: readonly UpsertSize[]) {
  let files: readonly DataFile[] = [];
  let made = 0;
  for (const { tableRows, upsertRows } of sizes) {
    if (tableRows > made) files = [...files, ...(await moreFiles(setting, made, tableRows))];
    made = Math.max(made, tableRows);
    const some = filesOf(files, tableRows);
    for (const where of ["newest", "anywhere"] as const) {
      printHeading(`upsert ${count(upsertRows)} rows into ${count(tableRows)}, half of them of keys ${placeOf[where]}`);
      const name = `upsert_${tableRows}_${upsertRows}_${where}`;
      const source = await writeSource(setting, name, changedSql(tableRows, upsertRows, where));
      await ours(setting, await tableOf(setting, name, some), source, upsertRows);
      if (others.python) await upsertByPyIceberg(setting, others.python, { name, files: some, source });
      if (others.spark) await mergeBySpark(setting, others.spark, { name, files: some, source, upsertRows });
    }
  }
}

const count = (rows: number) => rows.toLocaleString("en");

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

interface Upsert {
  /** Of the table of ours; those of the others begin with it. */
  readonly name: string;
  readonly files: readonly DataFile[];
  readonly source: string;
}

async function upsertByPyIceberg(setting: Setting, python: PyIceberg, { name, files, source }: Upsert): Promise<void> {
  await tableOf(setting, `${name}_py`, files);
  const theirs = await python.run("upsert", { table: `${namespace}.${name}_py`, source });
  printCost("PyIceberg", theirs, () => `${count(theirs.count)} rows, peak ${Math.round(theirs.peakMiB)} MiB`);
}

const mergeModes = { mor: "merge-on-read", cow: "copy-on-write" };

/** MERGE INTO in both of its ways; copy-on-write is what Spark does when nothing is said. */
async function mergeBySpark(setting: Setting, spark: Spark, upsert: Upsert & { upsertRows: number }): Promise<void> {
  for (const [short, mode] of Object.entries(mergeModes)) {
    const merged = async (name: string) => {
      await tableOf(setting, name, upsert.files);
      await spark.sql(`ALTER TABLE ${sparkTable(name)} SET TBLPROPERTIES ('write.merge.mode' = '${mode}')`);
      return spark.timed(`MERGE INTO ${sparkTable(name)} AS t USING (SELECT * FROM ${sparkSource(upsert.source)}) AS s
        ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`);
    };
    await spark.warmUp(mode, () => merged(`${upsert.name}_spark_${short}_warm`));
    const name = `${upsert.name}_spark_${short}`;
    const theirs = await merged(name);
    const written = theirs.stopped ? "" : await writtenBySpark(spark, name, upsert);
    printCost(`Spark, ${mode}`, theirs, () => written);
  }
}

/** What its last snapshot has added and removed; every row of the upsert must be there. */
async function writtenBySpark(spark: Spark, name: string, { source, upsertRows }: Upsert & { upsertRows: number }) {
  const [[there] = []] = await spark.sql(
    `SELECT count(*) FROM ${sparkTable(name)} AS t JOIN ${sparkSource(source)} AS s ON t.id = s.id AND t.value = s.value`,
  );
  if (Number(there) !== upsertRows) throw new Error(`${name}: ${String(there)} of ${upsertRows} rows are there`);
  const [[data, deletes, removed] = []] = await spark.sql(
    `SELECT summary['added-data-files'], summary['added-delete-files'], summary['deleted-data-files']
      FROM ${sparkTable(name)}.snapshots ORDER BY committed_at DESC LIMIT 1`,
  );
  const files = [data, deletes, removed].map((value) => Number(value ?? 0));
  return `${files[0]} data and ${files[1]} delete files written, ${files[2]} data files rewritten`;
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
