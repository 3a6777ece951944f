/** Appending rows from a Parquet file: read, written as the table's files, committed. */
import { sqlString, stageRows } from "@firn/lake";
import { costOf, type Cost } from "../load/cost.ts";
import { eventsSql, eventsTable, namespace, numbersSql } from "./events.ts";
import type { PyIceberg } from "./pyiceberg.ts";
import { printCost, printHeading } from "./report.ts";
import { commit, makeTable, writeSource, type Setting } from "./setting.ts";

/** Each round into a table of its own, so that all are the same. */
export async function compareAppends(setting: Setting, python: PyIceberg | undefined, rows: number, rounds: number) {
  printHeading(`append ${rows.toLocaleString("en")} rows of 12 columns, 100,000 a day and partition`);
  const source = await writeSource(setting, "append", eventsSql(numbersSql(0, rows)));
  const runs: Cost[] = [];
  const { connection, env } = setting;
  for (let round = 0; round < rounds; round++) {
    const table = await makeTable(setting, eventsTable(`append_${round}`));
    const relationSql = `SELECT * FROM read_parquet(${sqlString(source)})`;
    runs.push(
      await costOf(async () => {
        const addedData = await stageRows(connection, { env, table, relationSql, evaluateAgain: true });
        await commit(setting, table, { operation: "append", addedData });
      }),
    );
  }
  printCost("Firn", { runs }, () => throughput(rows, runs));
  if (!python) return;
  const names = Array.from({ length: rounds }, (_, round) => `append_py_${round}`);
  for (const name of names) await makeTable(setting, eventsTable(name));
  const theirs = await python.run("append", { source, tables: names.map((name) => `${namespace}.${name}`) });
  printCost("PyIceberg", theirs, () => throughput(rows, theirs.runs));
}

function throughput(rows: number, runs: readonly Cost[]): string {
  const least = Math.min(...runs.map((run) => run.cpuMs));
  return `${Math.round(rows / (least / 1000)).toLocaleString("en")} rows a CPU second at best`;
}
