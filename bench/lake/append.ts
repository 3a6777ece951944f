/** Appending rows from a Parquet file: read, written as the table's files, committed. */
import { sqlString, stageRows } from "@firn/lake";
import { costOf, type Cost } from "../load/cost.ts";
import { eventsSql, eventsTable, namespace, numbersSql } from "./events.ts";
import type { OtherEngines } from "./other-engines.ts";
import type { PyIceberg } from "./pyiceberg.ts";
import { printCost, printHeading } from "./report.ts";
import { commit, makeTable, writeSource, type Setting } from "./setting.ts";
import { sparkSource, sparkTable, type Spark } from "./spark.ts";

/** Each round into a table of its own, so that all are the same. */
export async function compareAppends(setting: Setting, { python, spark }: OtherEngines, rows: number, rounds: number) {
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
  if (python) await appendByPyIceberg(setting, python, { source, rows, rounds });
  if (spark) await appendBySpark(setting, spark, { source, rows, rounds });
}

interface Append {
  readonly source: string;
  readonly rows: number;
  readonly rounds: number;
}

async function appendByPyIceberg(setting: Setting, python: PyIceberg, { source, rows, rounds }: Append) {
  const names = Array.from({ length: rounds }, (_, round) => `append_py_${round}`);
  for (const name of names) await makeTable(setting, eventsTable(name));
  const theirs = await python.run("append", { source, tables: names.map((name) => `${namespace}.${name}`) });
  printCost("PyIceberg", theirs, () => throughput(rows, theirs.runs));
}

async function appendBySpark(setting: Setting, spark: Spark, { source, rows, rounds }: Append) {
  const appended = async (name: string) => {
    await makeTable(setting, eventsTable(name));
    return spark.timed(`INSERT INTO ${sparkTable(name)} SELECT * FROM ${sparkSource(source)}`);
  };
  await spark.warmUp("append", () => appended("append_spark_warm"));
  const runs: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    const outcome = await appended(`append_spark_${round}`);
    if (outcome.stopped) return printCost("Spark", outcome, () => "");
    runs.push(...outcome.runs);
  }
  printCost("Spark", { runs }, () => throughput(rows, runs));
}

function throughput(rows: number, runs: readonly Cost[]): string {
  const least = Math.min(...runs.map((run) => run.cpuMs));
  return `${Math.round(rows / (least / 1000)).toLocaleString("en")} rows a CPU second at best`;
}
