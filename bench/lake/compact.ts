/**
 * Compaction: many small files of each day become one. PyIceberg has none: it reads the table and overwrites it; Spark
 * has rewrite_data_files.
 */
import { currentFiles, MERGE_POLICY, planMerge, stageMerge, stageRows, type DataFile, type Table } from "@firn/lake";
import { costOf, type Cost } from "../load/cost.ts";
import { eventsSql, eventsTable, namespace, numbersSql } from "./events.ts";
import type { OtherEngines } from "./other-engines.ts";
import { printCost, printHeading } from "./report.ts";
import { commit, makeTable, type Setting } from "./setting.ts";
import { sparkTable, type Spark } from "./spark.ts";

const filesPerDay = 20;
const policy = { ...MERGE_POLICY, rowsMax: Infinity, filesMax: Infinity };

export async function compareCompaction(setting: Setting, { python, spark }: OtherEngines, rows: number) {
  const { connection, env } = setting;
  const table = await smallFiles(setting, "compact", rows);
  const { data } = await currentFiles(env, table);
  const megabytes = data.reduce((sum, file) => sum + file.fileSizeBytes, 0) / 1e6;
  printHeading(`compact ${data.length} files, ${megabytes.toFixed(0)} MB, ${rows.toLocaleString("en")} rows`);
  const rate = (run: Cost) =>
    `${(megabytes / (run.wallMs / 1000)).toFixed(1)} MB/s, ${(megabytes / (run.cpuMs / 1000)).toFixed(1)} MB a CPU second`;
  const run = await costOf(async () => {
    const plan = planMerge(table.metadata, await currentFiles(env, table), policy);
    const change = await stageMerge(connection, { env, table, plan });
    if (change) await commit(setting, table, change);
    return change?.addedData?.length;
  });
  printCost("Firn", { runs: [run] }, () => `${rate(run)}; ${run.result} files`);
  if (python) {
    await copyOf(setting, "compact_py", data);
    const theirs = await python.run("compact", { table: `${namespace}.compact_py` });
    printCost("PyIceberg (read and overwrite)", theirs, () => rate(theirs.runs[0]!));
  }
  if (spark) await compactBySpark(setting, spark, data, rate);
}

async function compactBySpark(setting: Setting, spark: Spark, data: readonly DataFile[], rate: (run: Cost) => string) {
  const compacted = async (name: string) => {
    await copyOf(setting, name, data);
    return spark.timed(`CALL lake.system.rewrite_data_files(table => '${namespace}.${name}')`);
  };
  await spark.warmUp("compaction", () => compacted("compact_spark_warm"));
  const theirs = await compacted("compact_spark");
  const [[files] = []] = await spark.sql(`SELECT count(*) FROM ${sparkTable("compact_spark")}.files`);
  printCost("Spark (rewrite_data_files)", theirs, () => `${rate(theirs.runs[0]!)}; ${String(files)} files`);
}

/** A table of the same files. */
async function copyOf(setting: Setting, name: string, addedData: readonly DataFile[]): Promise<void> {
  await commit(setting, await makeTable(setting, eventsTable(name)), { operation: "append", addedData });
}

async function smallFiles(setting: Setting, name: string, rows: number): Promise<Table> {
  const { connection, env } = setting;
  let table = await makeTable(setting, eventsTable(name));
  for (let part = 0; part < filesPerDay; part++) {
    const relationSql = `SELECT * FROM (${eventsSql(`(SELECT n FROM ${numbersSql(0, rows)} WHERE n % ${filesPerDay} = ${part})`)})`;
    const addedData = await stageRows(connection, { env, table, relationSql });
    table = await commit(setting, table, { operation: "append", addedData });
  }
  return table;
}
