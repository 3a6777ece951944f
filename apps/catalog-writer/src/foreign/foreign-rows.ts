/**
 * Reads the rows of another engine's changes and finds those that have to be written anew, part by part so that memory
 * does not grow with the table.
 */
import { type KernelConnection, type LakeEnvironment, type ScanPlan, scanSql, sqlName } from "@firn/lake";
import type { KeyIndex } from "../key-index/key-index.ts";
import { keyColumns, type KeyShape, readKeys } from "../keyed-rows.ts";
import { identityDigestSql } from "../record-sql.ts";
import type { BatchKeys, Outcomes } from "../resolve.ts";
import type { ForeignFiles } from "./foreign-files.ts";
import { type ForeignVerdict, judgeForeign } from "./judge-foreign.ts";
import { localDateColumns, type LocalDateRule, missingLocalDates } from "./local-dates.ts";

/** Rows that are judged at a time, about. */
const rowsPerPart = 1_000_000;

const [goneRows, addedRows, chosenRows, dates] = ["foreign_gone", "foreign_added", "foreign_chosen", "foreign_dates"];
/** Temporary table (file_at, pos, day) of the rows to be written anew: their file among the added ones, their date. */
const repairedRows = "foreign_repaired";

export interface ForeignFinding {
  readonly outcomes: Outcomes;
  /** How many rows have to be written anew. */
  readonly repaired: number;
  readonly touchedPartitions: ReadonlySet<number>;
  /** Identities of the added rows, and how many of them the index has. */
  readonly identities: number;
  readonly known: number;
}

export const nothingFound: ForeignFinding = {
  outcomes: { stored: 0, corrected: 0, duplicates: 0, deleted: 0 },
  repaired: 0,
  touchedPartitions: new Set(),
  identities: 0,
  known: 0,
};

export interface ForeignReading extends KeyShape {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  /** At the state before the changes. */
  readonly index: KeyIndex;
  readonly localDates?: LocalDateRule;
}

/** @param kind `everything`: the added files are the whole table, and what went is not known */
export async function readForeign(
  reading: ForeignReading,
  files: ForeignFiles,
  kind: "changes" | "everything",
): Promise<ForeignFinding> {
  const { connection } = reading;
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${repairedRows} (file_at INTEGER, pos BIGINT, day INTEGER)`);
  const tasks = [files.removed, files.deleted, files.added].flatMap((plan) => plan.tasks);
  const rows = tasks.reduce((sum, { file }) => sum + file.recordCount, 0);
  const parts = Math.max(1, Math.ceil(rows / rowsPerPart));
  let finding = nothingFound;
  for (let part = 0; part < parts; part++) {
    const condition = parts === 1 ? "true" : `${identityDigestSql(reading.identity)} % ${parts} = ${part}`;
    finding = joined(finding, await readPart(reading, files, kind, condition));
  }
  for (const table of [goneRows, addedRows, chosenRows, dates]) await connection.run(`DROP TABLE IF EXISTS ${table}`);
  const repaired = await connection.value<number>(`SELECT count(*) FROM ${repairedRows}`);
  return { ...finding, repaired: repaired ?? 0 };
}

async function readPart(
  reading: ForeignReading,
  files: ForeignFiles,
  kind: "changes" | "everything",
  condition: string,
): Promise<ForeignFinding> {
  const { index } = reading;
  const added = await loadAdded(reading, files, condition);
  const gone = kind === "everything" ? kind : await loadGone(reading, files, condition);
  const verdict = judgeForeign({ gone, added }, (keys, rows) => index.lookUp(keys, rows));
  const places = await chooseRepaired(reading, verdict);
  const touched = new Set(verdict.touchedPartitions);
  for (const row of places) touched.add(added.partition[row]!);
  return { ...verdict, repaired: 0, touchedPartitions: touched };
}

async function loadAdded(reading: ForeignReading, files: ForeignFiles, condition: string): Promise<BatchKeys> {
  const { connection, env, index, localDates } = reading;
  const columns = [...new Set([...keyColumns(reading), ...(localDates ? localDateColumns(localDates) : [])])];
  const scan = await scanSql(files.added, {
    store: env.store,
    columns,
    taskColumn: "__file",
    positionColumn: "__pos",
  });
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${addedRows} AS
     SELECT (row_number() OVER (ORDER BY __file, __pos) - 1)::INTEGER AS __row, * FROM (${scan}) WHERE ${condition}`,
  );
  return readKeys(connection, reading, index, addedRows, "0", "__row");
}

async function loadGone(reading: ForeignReading, files: ForeignFiles, condition: string): Promise<BatchKeys> {
  const { connection, env, index } = reading;
  const columns = keyColumns(reading);
  const parts = [
    await scanSql(files.removed, { store: env.store, columns }),
    await scanSql(files.deleted, { store: env.store, columns, rows: "deleted" }),
  ];
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${goneRows} AS SELECT * FROM (${parts.join(" UNION ALL ")}) WHERE ${condition}`,
  );
  return readKeys(connection, reading, index, goneRows, "0");
}

/**
 * Rows that have others of their identity beside them, and those without a local date, join the rows to be written.
 * @returns their numbers
 */
async function chooseRepaired({ connection, localDates }: ForeignReading, verdict: ForeignVerdict): Promise<number[]> {
  const chosen = new Set<number>();
  for (let row = 0; row < verdict.doubled.length; row++) if (verdict.doubled[row] === 1) chosen.add(row);
  if (localDates) {
    await missingLocalDates(connection, localDates, addedRows, "__row", dates);
    for (const { row } of await connection.rows<{ row: number }>(`SELECT row FROM ${dates}`))
      if (verdict.lost[row] === 0) chosen.add(row);
  }
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${chosenRows} (row INTEGER)`);
  await connection.appendIntegers(chosenRows, Int32Array.from(chosen));
  const day = localDates ? `d.day FROM` : "NULL FROM";
  const withDates = localDates ? ` LEFT JOIN ${dates} AS d ON d.row = c.row` : "";
  await connection.run(
    `INSERT INTO ${repairedRows} SELECT a.__file, a.__pos, ${day} ${addedRows} AS a
     JOIN ${chosenRows} AS c ON c.row = a.__row${withDates}`,
  );
  return [...chosen];
}

/** A SELECT of the rows to be written anew, whole. */
export async function repairedRowsSql(
  env: LakeEnvironment,
  added: ScanPlan,
  localDate: string | undefined,
): Promise<string> {
  const scan = await scanSql(added, { store: env.store, taskColumn: "__file", positionColumn: "__pos" });
  const columns = added.schema.fields.map(({ name }) => {
    const column = `s.${sqlName(name)}`;
    return name === localDate ? `coalesce(${column}, DATE '1970-01-01' + r.day) AS ${sqlName(name)}` : column;
  });
  return `SELECT ${columns.join(", ")} FROM (${scan}) AS s
    JOIN ${repairedRows} AS r ON r.file_at = s.__file AND r.pos = s.__pos`;
}

function joined(one: ForeignFinding, other: ForeignFinding): ForeignFinding {
  const sum = (name: keyof Outcomes) => one.outcomes[name] + other.outcomes[name];
  return {
    outcomes: {
      stored: sum("stored"),
      corrected: sum("corrected"),
      duplicates: sum("duplicates"),
      deleted: sum("deleted"),
    },
    repaired: one.repaired + other.repaired,
    touchedPartitions: new Set([...one.touchedPartitions, ...other.touchedPartitions]),
    identities: one.identities + other.identities,
    known: one.known + other.known,
  };
}
