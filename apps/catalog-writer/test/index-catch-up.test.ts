import { currentSnapshot, expireSnapshots, planScan, scanSql } from "@firn/lake";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { catchUpIndex } from "../src/index-catch-up.ts";
import { keyOrder } from "../src/key-index/identity-keys.ts";
import { KeyIndex } from "../src/key-index/key-index.ts";
import { keyColumns, readKeys } from "../src/keyed-rows.ts";
import { SampleTable, shape } from "./sample-table.ts";

const twoDays = { days: 2, instant: "2026-03-01 12:00:00Z", timezone: "UTC", localDateSql: "instant::DATE" };
const rowsAtOnce = 100;
const everyRow = 1_000;

let table: SampleTable;
let index: KeyIndex;

beforeEach(async () => {
  table = await SampleTable.open("catch-up", twoDays);
  await table.append("range(0, 600)");
  index = openIndex();
  await catchUp();
});
afterEach(async () => {
  await index.close();
  await table.close();
});

/** Few entries fit into memory, so that rows lie in runs. */
const openIndex = () => KeyIndex.open(join(table.folder, "index"), { content: shape.content, recentMax: 50 });

function catchUp() {
  const { env, connection, current } = table;
  return catchUpIndex(env, connection, current, shape, index, currentSnapshot(current.metadata), rowsAtOnce);
}

/** The index knows each sample of the table as it is there, and no other of 0 … everyRow. */
async function expectEqual(): Promise<void> {
  const columns = keyColumns(shape);
  const { env, current } = table;
  const live = await scanSql(await planScan({ env, table: current }), { columns, store: env.store });
  const rows = await keysOf(live);
  const known = index.lookUp(rows, keyOrder(rows));
  expect([...known.found]).toEqual(new Array(rows.rows).fill(1));
  expect([...known.content]).toEqual([...rows.content]);
  expect([...known.partition]).toEqual([...rows.partition]);
  const any = await keysOf(table.rowsSql(`range(0, ${everyRow})`));
  expect(index.lookUp(any, keyOrder(any)).found.reduce((sum, found) => sum + found, 0)).toBe(rows.rows);
}

async function keysOf(sql: string) {
  return readKeys(table.connection, shape, index, `(${sql})`, "0");
}

async function reopened(damage: (path: string) => void): Promise<void> {
  await index.close();
  damage(join(table.folder, "index"));
  index = openIndex();
}

const runsIn = (path: string): string[] => readdirSync(path).filter((name) => name.startsWith("run-"));

describe("the key index", () => {
  it("is rebuilt where it is missing", async () => {
    await reopened((path) => rmSync(path, { recursive: true }));
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
    expect(await catchUp()).toBe("current");
  });

  it("is rebuilt where a byte of a run has changed", async () => {
    await reopened((path) => {
      const run = join(path, runsIn(path)[0]!);
      const bytes = readFileSync(run);
      bytes[100]! ^= 1;
      writeFileSync(run, bytes);
    });
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
  });

  it("is rebuilt where a run is gone", async () => {
    await reopened((path) => rmSync(join(path, runsIn(path)[0]!)));
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
  });

  it("is rolled forward over commits of others that add, replace and delete", async () => {
    await table.append("range(600, 900)");
    // Few rows of a file are deleted by position; many, and the file is written anew.
    expect((await table.upsert("range(0, 600, 40)", "range(1, 600, 40)", 1)).addedDeletes).not.toHaveLength(0);
    expect((await table.upsert("range(0, 600, 80)", "range(2, 650, 40)", 2)).addedDeletes).not.toHaveLength(0);
    expect(await catchUp()).toBe("rolled_forward");
    await expectEqual();
  });

  it("is rolled forward over files that were written anew without some of their rows", async () => {
    expect((await table.upsert("range(0, 300)", "range(300, 400)", 1)).removedData).not.toHaveLength(0);
    expect(await catchUp()).toBe("rolled_forward");
    await expectEqual();
  });

  it("is rebuilt where the snapshot that it equals has expired", async () => {
    const old = table.current.metadata.snapshots.map((snapshot) => snapshot["snapshot-id"]);
    await table.upsert("range(0, 50)", "range(50, 100)", 1);
    await expireSnapshots(table.env, table.current, old);
    await table.reload();
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
  });

  it("is rebuilt for another table of the name", async () => {
    await table.env.catalog.dropTable(table.current.identifier);
    await table.make();
    await table.append("range(300, 700)");
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
  });

  it("takes rows in by slices, whatever their files hold", async () => {
    const sizes: number[] = [];
    const applyPart = index.applyPart.bind(index);
    index.applyPart = (change) => {
      sizes.push(change.rows.length);
      return applyPart(change);
    };
    await table.upsert("range(0, 1)", "range(1, 590)", 1);
    expect(await catchUp()).toBe("rolled_forward");
    await expectEqual();
    await index.clear("");
    await table.append("range(600, 1000)");
    expect(await catchUp()).toBe("rebuilt");
    await expectEqual();
    expect(Math.max(...sizes)).toBe(rowsAtOnce);
  });
});
