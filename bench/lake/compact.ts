/** Compaction: many small files of each day become one. PyIceberg has none: it reads the table and overwrites it. */
import { currentFiles, MERGE_POLICY, planMerge, stageMerge, stageRows, type Table } from "@firn/lake";
import { costOf } from "../load/cost.ts";
import { eventsSql, eventsTable, namespace, numbersSql } from "./events.ts";
import type { PyIceberg } from "./pyiceberg.ts";
import { printCost, printHeading } from "./report.ts";
import { commit, makeTable, type Setting } from "./setting.ts";

const filesPerDay = 20;
const policy = { ...MERGE_POLICY, rowsMax: Infinity, filesMax: Infinity };

export async function compareCompaction(setting: Setting, python: PyIceberg | undefined, rows: number) {
  const { connection, env } = setting;
  const table = await smallFiles(setting, "compact", rows);
  const { data } = await currentFiles(env, table);
  const megabytes = data.reduce((sum, file) => sum + file.fileSizeBytes, 0) / 1e6;
  printHeading(`compact ${data.length} files, ${megabytes.toFixed(0)} MB, ${rows.toLocaleString("en")} rows`);
  const rate = (run: { wallMs: number; cpuMs: number }) =>
    `${(megabytes / (run.wallMs / 1000)).toFixed(1)} MB/s, ${(megabytes / (run.cpuMs / 1000)).toFixed(1)} MB a CPU second`;
  const run = await costOf(async () => {
    const plan = planMerge(table.metadata, await currentFiles(env, table), policy);
    const change = await stageMerge(connection, { env, table, plan });
    if (change) await commit(setting, table, change);
    return change?.addedData?.length;
  });
  printCost("Firn", { runs: [run] }, () => `${rate(run)}; ${run.result} files`);
  if (!python) return;
  const copy = await makeTable(setting, eventsTable("compact_py"));
  await commit(setting, copy, { operation: "append", addedData: data });
  const theirs = await python.run("compact", { table: `${namespace}.compact_py` });
  printCost("PyIceberg (read and overwrite)", theirs, () => rate(theirs.runs[0]!));
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
