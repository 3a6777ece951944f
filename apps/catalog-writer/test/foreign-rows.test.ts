import { currentFiles, currentSnapshot, type KernelConnection, planScan, scanSql } from "@firn/lake";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ForeignFiles, foreignFiles } from "../src/foreign/foreign-files.ts";
import { type ForeignFinding, readForeign } from "../src/foreign/foreign-rows.ts";
import { localDateRule } from "../src/foreign/local-dates.ts";
import { catchUpIndex } from "../src/index-catch-up.ts";
import { KeyIndex } from "../src/key-index/key-index.ts";
import { dataset, SampleTable, shape } from "./sample-table.ts";

/** Every third has no local date. */
const fiveDays = {
  days: 5,
  instant: "2026-03-01 18:00:00Z",
  timezone: "Asia/Seoul",
  localDateSql: "CASE WHEN n % 3 = 0 THEN NULL ELSE (instant + INTERVAL 9 HOUR)::DATE END",
};
const localDates = localDateRule(dataset, dataset.raw, "UTC")!;
/** What `changeAsOthers` comes to. */
const expected = { stored: 300, corrected: 50 + 90, duplicates: 100 + 30, deleted: 50 };
const everything = 1_000_000;

let table: SampleTable;
let index: KeyIndex;
let files: ForeignFiles;

beforeAll(async () => {
  table = await SampleTable.open("foreign-rows", fiveDays);
  index = KeyIndex.open(join(table.folder, "index"), { content: shape.content, recentMax: 50 });
  await table.append("range(0, 375)");
  await table.append("range(375, 400)");
  const { env, connection, current } = table;
  const own = currentSnapshot(current.metadata)!;
  await catchUpIndex(env, connection, current, shape, index, own);
  await changeAsOthers();
  files = await foreignFiles(env, table.current, own);
});
afterAll(async () => {
  await index?.close();
  await table?.close();
});

/**
 * What others do to 400 samples of ours: 25 written anew as they were, 50 deleted, 100 repeated and 50 of
 * those then corrected; 300 new ones, of which 90 are then corrected, and 30 of those repeated.
 */
async function changeAsOthers(): Promise<void> {
  const { data } = await currentFiles(table.env, table.current);
  const newest = Math.max(...data.map(({ sequenceNumber }) => sequenceNumber));
  const rewritten = data.filter(({ sequenceNumber }) => sequenceNumber === newest);
  const addedData = await table.stage("range(375, 400)");
  await table.commit({ operation: "overwrite", addedData, removedData: rewritten });
  await table.upsert("range(0)", "range(0, 50)");
  await table.append("range(100, 200)");
  await table.append("range(150, 200)", 1);
  await table.append("range(400, 700)");
  await table.append("range(600, 690)", 1);
  await table.append("range(600, 630)", 1);
}

interface Reading {
  readonly finding: ForeignFinding;
  /** Rows to be written anew: the file among the added ones, the position, the local date's day. */
  readonly repaired: string[];
  /** How often files were read, by name. */
  readonly reads: Map<string, number>;
  /** First words of the least and the greatest identity that the index was asked for, by part. */
  readonly ranges: [number, number][];
}

async function read(partRows: number, failsInPart = -1): Promise<Reading> {
  const { connection, env } = table;
  const reads = new Map<string, number>();
  const ranges: [number, number][] = [];
  const note = (sql: string) => {
    for (const [, name] of sql.matchAll(/([\w.-]+\.parquet)'/g)) reads.set(name!, (reads.get(name!) ?? 0) + 1);
    return sql;
  };
  const noting: KernelConnection = {
    ...connection,
    run: (sql) => connection.run(note(sql)),
    rows: (sql) => connection.rows(note(sql)),
    columns: (sql) => connection.columns(note(sql)),
    value: (sql) => connection.value(note(sql)),
    chunks: (sql) => connection.chunks(note(sql)),
  };
  const lookUp: KeyIndex["lookUp"] = (keys, rows) => {
    if (ranges.length === failsInPart) throw new Error("ended in the middle");
    const words = [...rows].map((row) => Number(keys.keyHigh[row]! >> 32n));
    ranges.push([Math.min(...words), Math.max(...words)]);
    return index.lookUp(keys, rows);
  };
  const partitionOrdinal: KeyIndex["partitionOrdinal"] = (name) => index.partitionOrdinal(name);
  const noted = { lookUp, partitionOrdinal } as KeyIndex;
  const reading = { ...shape, env, connection: noting, index: noted, localDates, partRows };
  const finding = await readForeign(reading, files, "changes");
  const rows = await connection.rows("SELECT file_at, pos, day FROM foreign_repaired ORDER BY ALL");
  return { finding, repaired: rows.map((row) => JSON.stringify(row)), reads, ranges };
}

const temporaryTables = () =>
  table.connection.rows(`SELECT table_name FROM duckdb_tables() WHERE temporary AND table_name <> 'foreign_repaired'`);

describe("rows of others", () => {
  it("are judged by what the table had, the last of each identity staying", async () => {
    const { finding, repaired } = await read(everything);
    expect(finding.outcomes).toEqual(expected);
    // What has others of its identity beside it, and what has no local date.
    const isDoubled = (n: number) => (n >= 100 && n < 200) || (n >= 600 && n < 690);
    const numbers = [...Array(700).keys()].filter((n) => isDoubled(n) || (n % 3 === 0 && n >= 375));
    expect(repaired).toHaveLength(numbers.length);
    expect(finding.repaired).toBe(repaired.length);
    expect(await temporaryTables()).toEqual([]);
  });

  it("are judged alike in whatever parts, each file being read once", async () => {
    const whole = await read(everything);
    const added = files.added.tasks.map(({ file }) => file.filePath.split("/").at(-1)!);
    expect(files.removed.tasks.length * files.deleted.tasks.length).toBeGreaterThan(0);
    for (const partRows of [200, 25]) {
      const { finding, ranges, reads, repaired } = await read(partRows);
      expect(finding).toEqual(whole.finding);
      expect(repaired).toEqual(whole.repaired);
      expect(reads).toEqual(whole.reads);
      for (const name of added) expect(reads.get(name)).toBe(1);
      expect(ranges.length).toBeGreaterThan(600 / partRows);
    }
  });

  it("are asked of the index stretch by stretch", async () => {
    const { ranges } = await read(40);
    for (const [at, [least]] of ranges.entries()) expect(least).toBeGreaterThan(at === 0 ? -1 : ranges[at - 1]![1]);
  });

  it("of a whole table, where what went is not known, are judged alike in parts", async () => {
    const { connection, env } = table;
    const all = await foreignFiles(env, table.current, undefined);
    const of = (partRows: number) =>
      readForeign({ ...shape, env, connection, index, localDates, partRows }, all, "everything");
    const whole = await of(everything);
    expect(whole).toMatchObject({ identities: 650, known: 350 });
    expect(await of(30)).toEqual(whole);
  });

  it("are judged from the beginning after an end in the middle", async () => {
    await expect(read(100, 3)).rejects.toThrow("ended in the middle");
    expect(await temporaryTables()).toEqual([]);
    expect((await read(100)).finding.outcomes).toEqual(expected);
  });

  it("are all there", async () => {
    const { connection, current, env } = table;
    const live = await scanSql(await planScan({ env, table: current }), { store: env.store });
    const count = await connection.value(`SELECT count(*) FROM (${live})`);
    expect(count).toBe(350 + 100 + 50 + 300 + 90 + 30);
  });
});
