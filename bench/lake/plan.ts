/**
 * Planning a scan, and opening a table, by the number of its files. Only metadata: the files that manifests name are
 * made up from a real one, with the same metrics, so that 100,000 of them are there in seconds.
 */
import {
  and,
  columnByName,
  currentSchema,
  encodeSingleValue,
  eq,
  loadTable,
  planScan,
  refreshTable,
  stageRows,
  type DataFile,
  type Predicate,
  type PrimitiveType,
  type Schema,
} from "@firn/lake";
import { costOf, type Cost } from "../load/cost.ts";
import { eventsSql, eventsTable, namespace, numbersSql } from "./events.ts";
import type { PyIceberg } from "./pyiceberg.ts";
import { printHeading, printQuestions } from "./report.ts";
import { commit, freshEnvironment, makeTable, type Setting } from "./setting.ts";

const types = 12;
const filesPerCommit = 1_000;
const firstDay = 18_262;
/** Enough for a p95 that is not the slowest. */
const coldTimes = 40;

export async function comparePlans(setting: Setting, python: PyIceberg | undefined, sizes: readonly number[]) {
  for (const size of sizes) {
    const name = `plan_${size}`;
    await makeFiles(setting, name, size);
    await questionsOf(setting, python, name, size);
    await opening(setting, python, name, size);
  }
}

/** `files` entries: one for each day and type, in commits of 1,000. */
async function makeFiles(setting: Setting, name: string, files: number): Promise<void> {
  let table = await makeTable(setting, eventsTable(name, ["local_date", "data_type"]));
  const [model] = await stageRows(setting.connection, {
    env: setting.env,
    table,
    relationSql: `${eventsSql(numbersSql(0, 12))} WHERE n = 0`,
  });
  const schema = currentSchema(table.metadata);
  for (let from = 0; from < files; from += filesPerCommit) {
    const addedData = Array.from({ length: Math.min(filesPerCommit, files - from) }, (_, at) =>
      madeUp(model!, schema, from + at),
    );
    table = await commit(setting, table, { operation: "append", addedData });
  }
}

/** A file of one day and type, with the bounds that it would have. */
function madeUp(model: DataFile, schema: Schema, number: number): DataFile {
  const partition = { local_date: firstDay + Math.floor(number / types), data_type: `type${number % types}` };
  const bounds = Object.entries({ ...partition, id: idOf(number) }).map(([name, value]): [number, Uint8Array] => {
    const { id, type } = columnByName(schema, name)!;
    return [id, encodeSingleValue(type as PrimitiveType, value)];
  });
  return {
    ...model,
    partition,
    filePath: model.filePath.replace(/[^/]*$/, `${number}.parquet`),
    lowerBounds: new Map([...model.lowerBounds!, ...bounds]),
    upperBounds: new Map([...model.upperBounds!, ...bounds]),
  };
}

const idOf = (number: number): string => String(number).padStart(12, "0");

/** Equalities, by column. */
type Where = Readonly<Record<string, string | number>>;

async function questionsOf(setting: Setting, python: PyIceberg | undefined, name: string, size: number) {
  const day = (n: number) => firstDay + ((n * 7919) % Math.ceil(size / types));
  const kinds: { title: string; times: number; question: (n: number) => Where }[] = [
    { title: "one day and type", times: 100, question: (n) => ({ local_date: day(n), data_type: `type${n % types}` }) },
    { title: "one id, by the bounds of all files", times: 20, question: (n) => ({ id: idOf((n * 7919) % size) }) },
    { title: "everything", times: 20, question: () => ({}) },
  ];
  for (const { title, times, question } of kinds) {
    printHeading(`plan at ${size.toLocaleString("en")} files: ${title}`);
    for (const cold of [true, false]) {
      const questions = Array.from({ length: cold ? coldTimes : times }, (_, n) => question(n));
      const { runs, files } = await planAll(setting, name, questions, cold);
      printQuestions(`Firn, ${cold ? "cold" : "warm"}`, { runs }, files);
      if (!python) continue;
      const some = size >= 10_000 ? questions.slice(0, 5) : questions.slice(0, 20);
      const theirs = await python.run("plan", { table: `${namespace}.${name}`, cold, questions: some });
      printQuestions(`PyIceberg, ${cold ? "cold" : "warm"}`, theirs, theirs.count);
    }
  }
}

async function planAll(setting: Setting, name: string, questions: readonly Where[], cold: boolean) {
  const runs: Cost[] = [];
  let files = 0;
  let env = setting.env;
  const table = await loadTable(env, { namespace: [namespace], name });
  if (!cold) await planScan({ env, table });
  for (const where of questions) {
    if (cold) env = await freshEnvironment(setting);
    const run = await costOf(() => planScan({ env, table, ...predicateOf(where) }));
    files = run.result.tasks.length;
    runs.push(run);
  }
  return { runs, files };
}

function predicateOf(where: Where): { where?: Predicate } {
  const terms = Object.entries(where).map(([column, value]) => eq(column, value));
  return terms.length === 0 ? {} : { where: and(...terms) };
}

async function opening(setting: Setting, python: PyIceberg | undefined, name: string, size: number) {
  const identifier = { namespace: [namespace], name };
  printHeading(`open a table of ${size.toLocaleString("en")} files: metadata and the list of its files`);
  for (const cold of [true, false]) {
    const runs: Cost[] = [];
    let env = await freshEnvironment(setting);
    let table = await loadTable(env, identifier);
    await planScan({ env, table });
    for (let n = 0; n < 10; n++) {
      if (cold) env = await freshEnvironment(setting);
      runs.push(
        await costOf(async () => {
          table = cold ? await loadTable(env, identifier) : await refreshTable(env, table);
          await planScan({ env, table });
        }),
      );
    }
    printQuestions(`Firn, ${cold ? "cold" : "warm"}`, { runs }, size);
    if (!python) continue;
    const theirs = await python.run("open", { table: `${namespace}.${name}`, cold, times: size >= 10_000 ? 2 : 5 });
    printQuestions(`PyIceberg, ${cold ? "cold" : "warm"}`, theirs, theirs.count);
  }
}
