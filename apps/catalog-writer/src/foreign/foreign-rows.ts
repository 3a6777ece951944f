/**
 * Reads the rows of another engine's changes and finds those that have to be written anew, part by part so that memory
 * does not grow with the table. Each file is read once, however many parts there are.
 */
import { type LakeEnvironment, type ScanPlan, scanSql, sqlName } from "@firn/lake";
import type { KeyIndex } from "../key-index/key-index.ts";
import { readKeys } from "../keyed-rows.ts";
import type { BatchKeys, Outcomes } from "../resolve.ts";
import type { ForeignFiles } from "./foreign-files.ts";
import { type ForeignVerdict, judgeForeign } from "./judge-foreign.ts";
import { missingLocalDates } from "./local-dates.ts";
import { addedOfPartSql, dropParts, goneOfPartSql, partedDigests, partRows, type RowsToPart } from "./parted-rows.ts";

const [addedRows, chosenRows, dates] = ["foreign_added", "foreign_chosen", "foreign_dates"];
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

export interface ForeignReading extends RowsToPart {
  /** At the state before the changes. */
  readonly index: KeyIndex;
}

/** @param kind `everything`: the added files are the whole table, and what went is not known */
export async function readForeign(
  reading: ForeignReading,
  files: ForeignFiles,
  kind: "changes" | "everything",
): Promise<ForeignFinding> {
  const { connection } = reading;
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${repairedRows} (file_at INTEGER, pos BIGINT, day INTEGER)`);
  try {
    const parts = await partRows(reading, files, kind === "changes");
    let finding = nothingFound;
    for (let part = 0; part < parts; part++) finding = joined(finding, await readPart(reading, part, kind));
    const repaired = await connection.value<number>(`SELECT count(*) FROM ${repairedRows}`);
    return { ...finding, repaired: repaired ?? 0 };
  } finally {
    await dropParts(connection);
    for (const table of [addedRows, chosenRows, dates]) await connection.run(`DROP TABLE IF EXISTS ${table}`);
  }
}

async function readPart(
  reading: ForeignReading,
  part: number,
  kind: "changes" | "everything",
): Promise<ForeignFinding> {
  const { connection, index } = reading;
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${addedRows} AS ${addedOfPartSql(part)}`);
  const added = await readKeys(connection, reading, index, addedRows, "0", "__row", partedDigests);
  const gone = kind === "everything" ? kind : await readGone(reading, part);
  const verdict = judgeForeign({ gone, added }, (keys, rows) => index.lookUp(keys, rows));
  const places = await chooseRepaired(reading, verdict);
  const touched = new Set(verdict.touchedPartitions);
  for (const row of places) touched.add(added.partition[row]!);
  return { ...verdict, repaired: 0, touchedPartitions: touched };
}

function readGone({ connection, index, ...shape }: ForeignReading, part: number): Promise<BatchKeys> {
  return readKeys(connection, shape, index, goneOfPartSql(part), "0", undefined, partedDigests);
}

/**
 * Rows that have others of their identity beside them, and those without a local date, join the rows to be written.
 * @returns their numbers
 */
async function chooseRepaired(
  { connection, localDates }: ForeignReading,
  verdict: ForeignVerdict,
): Promise<Int32Array> {
  const isChosen = verdict.doubled.slice();
  if (localDates) {
    await missingLocalDates(connection, localDates, addedRows, "__row", dates);
    for await (const chunk of connection.chunks(`SELECT row FROM ${dates}`))
      for (const row of chunk.column(0) as number[]) if (verdict.lost[row] === 0) isChosen[row] = 1;
  }
  const chosen = Int32Array.from(rowsWhere(isChosen));
  if (chosen.length === 0) return chosen;
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${chosenRows} (row INTEGER)`);
  await connection.appendIntegers(chosenRows, chosen);
  const day = localDates ? `d.day FROM` : "NULL FROM";
  const withDates = localDates ? ` LEFT JOIN ${dates} AS d ON d.row = c.row` : "";
  await connection.run(
    `INSERT INTO ${repairedRows} SELECT a.__file, a.__pos, ${day} ${addedRows} AS a
     JOIN ${chosenRows} AS c ON c.row = a.__row${withDates}`,
  );
  return chosen;
}

function* rowsWhere(marks: Uint8Array): Generator<number> {
  for (let row = 0; row < marks.length; row++) if (marks[row] === 1) yield row;
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
