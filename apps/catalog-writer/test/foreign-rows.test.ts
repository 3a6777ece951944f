import { createHealthDataset } from "@firn/datasets";
import {
  commitChange,
  currentFiles,
  currentSnapshot,
  type KernelConnection,
  type LakeEnvironment,
  loadTable,
  planScan,
  scanSql,
  stageRows,
  stageUpsert,
  type Table,
} from "@firn/lake";
import { type LocalLake, openLocalLake } from "@firn/testing";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ForeignFiles, foreignFiles } from "../src/foreign/foreign-files.ts";
import { type ForeignFinding, readForeign } from "../src/foreign/foreign-rows.ts";
import { localDateRule } from "../src/foreign/local-dates.ts";
import { catchUpIndex } from "../src/index-catch-up.ts";
import { KeyIndex } from "../src/key-index/key-index.ts";
import { makeTable } from "../src/tables.ts";

/**
 * 400 samples of ours, and what others do to them: 25 written anew as they were, 50 deleted, 100 repeated and 50 of
 * those then corrected; 300 new ones, of which 90 are then corrected, and 30 of those repeated.
 */
const dataset = createHealthDataset();
const { raw, identity, content } = dataset;
const shape = { definition: raw, identity, content };
const localDates = localDateRule(dataset, raw, "UTC")!;
const expected = { stored: 300, corrected: 50 + 90, duplicates: 100 + 30, deleted: 50 };
const everything = 1_000_000;

let lake: LocalLake;
let connection: KernelConnection;
let env: LakeEnvironment;
let table: Table;
let index: KeyIndex;
let files: ForeignFiles;

beforeAll(async () => {
  lake = await openLocalLake("foreign-rows");
  ({ env, connection } = lake);
  table = await makeTable(env, raw, "lake");
  index = KeyIndex.open(join(lake.folder, "index"), { content, recentMax: 50 });
  await append("range(0, 375)");
  await append("range(375, 400)");
  const own = currentSnapshot(table.metadata)!;
  await catchUpIndex(env, connection, table, shape, index, own);
  await changeAsOthers();
  files = await foreignFiles(env, table, own);
});
afterAll(async () => {
  await index?.close();
  await lake?.close();
});

/** Sample n, of one of five days; `version` is its content. Every third has no local date. */
const samplesSql = (numbers: string, version = 0): string =>
  `SELECT 'phone' AS device_id, 'user-' || n % 7 AS user_id, 'sample-' || n AS sample_id, 'steps' AS data_type,
    n + ${version} / 2 AS value, 'count' AS unit, instant AS start_date, instant AS end_date, 'app' AS source_bundle,
    true AS is_synced, '1' AS app_version, 0 AS timezone_offset, NULL::MAP(VARCHAR, VARCHAR) AS metadata,
    instant AS created_at, instant AS payload_timestamp, instant AS processing_time, 'Asia/Seoul' AS timezone,
    CASE WHEN n % 3 = 0 THEN NULL ELSE (instant + INTERVAL 9 HOUR)::DATE END AS local_date
  FROM (SELECT n, TIMESTAMPTZ '2026-03-01 18:00:00Z' + to_days((n % 5)::INTEGER) AS instant FROM ${numbers} AS numbers(n))`;

async function append(numbers: string, version?: number): Promise<void> {
  const addedData = await stageRows(connection, { env, table, relationSql: samplesSql(numbers, version) });
  await commit({ operation: "append", addedData });
}

async function commit(change: Parameters<typeof commitChange>[2]): Promise<void> {
  await commitChange(env, table, change);
  table = await loadTable(env, table.identifier);
}

async function changeAsOthers(): Promise<void> {
  const { data } = await currentFiles(env, table);
  const newest = Math.max(...data.map(({ sequenceNumber }) => sequenceNumber));
  const rewritten = data.filter(({ sequenceNumber }) => sequenceNumber === newest);
  const addedData = await stageRows(connection, { env, table, relationSql: samplesSql("range(375, 400)") });
  await commit({ operation: "overwrite", addedData, removedData: rewritten });
  const deletes = {
    env,
    table,
    rowsSql: samplesSql("range(0)"),
    deleteKeysSql: `SELECT ${identity.join(", ")} FROM (${samplesSql("range(0, 50)")})`,
    keyColumns: identity,
    copyOnWriteRows: 0,
  };
  await commit({ operation: "overwrite", ...(await stageUpsert(connection, deletes)) });
  await append("range(100, 200)");
  await append("range(150, 200)", 1);
  await append("range(400, 700)");
  await append("range(600, 690)", 1);
  await append("range(600, 630)", 1);
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
  connection.rows(`SELECT table_name FROM duckdb_tables() WHERE temporary AND table_name <> 'foreign_repaired'`);

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
    const all = await foreignFiles(env, table, undefined);
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
    const count = await connection.value(
      `SELECT count(*) FROM (${await scanSql(await planScan({ env, table }), { store: env.store })})`,
    );
    expect(count).toBe(350 + 100 + 50 + 300 + 90 + 30);
  });
});
