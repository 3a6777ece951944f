import { encodeColumnBatch, type TableDefinition } from "@firn/core";
import type { KernelConnection } from "@firn/lake";
import { type LocalKernel, openLocalKernel } from "@firn/testing";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { partitionNameSql } from "./partition-name.ts";
import { contentDigestSql, identityDigestSql, loadColumnBatchesSql } from "./record-sql.ts";

const definition: TableDefinition = {
  namespace: "n",
  name: "t",
  columns: [
    { name: "user", type: "string", required: true },
    { name: "id", type: "string", required: true },
    { name: "value", type: "double", required: true },
    { name: "at", type: "timestamptz", required: true },
    { name: "day", type: "date", required: false },
    { name: "tags", type: "map<string,string>", required: false },
  ],
  identity: ["user", "id"],
  partition: [
    { source: "at", transform: "day", name: "at_day" },
    { source: "user", transform: "identity", name: "user" },
  ],
  sort: [],
  properties: {},
};

let local: LocalKernel;
let connection: KernelConnection;
beforeAll(async () => {
  local = await openLocalKernel("sql", { memoryLimitMb: 256 });
  ({ connection } = local);
});
afterAll(() => local?.close());

type Columns = Record<string, (string | number | null | Record<string, string>)[]>;

function encode(columns: Columns): Uint8Array {
  return encodeColumnBatch("t", { rows: columns["id"]?.length ?? 0, columns });
}

async function load(name: string, ...batches: readonly Columns[]) {
  const path = join(local.folder, `${name}.json`);
  writeFileSync(path, Buffer.concat(batches.map(encode)));
  await connection.run(`CREATE TABLE ${name} AS ${loadColumnBatchesSql(definition, path, 1_000_000)}`);
}

describe("batch tables", () => {
  it("give back odd strings, instants and dates before 1970 as they were sent", async () => {
    const odd = ["", "a\u0000b", "quote'\"\\", "é", "e\u0301", "🫀", "__proto__", "line\nend"];
    await load("odd", {
      user: odd,
      id: odd,
      value: odd.map((_, n) => n / 3),
      at: odd.map((_, n) => (n - 4) * 43_200_000_001),
      day: odd.map((_, n) => (n === 0 ? null : n - 4)),
      tags: odd.map((text, n) => (n === 0 ? null : { [text]: text, __proto__x: "1" })),
      _op: odd.map(() => 0),
    });
    const rows = await connection.rows<{ user: string; value: number; at: number; day: number | null; place: string }>(
      `SELECT "user", value, "at", day, ${partitionNameSql(definition)} AS place FROM odd ORDER BY rowid`,
    );
    expect(rows.map((row) => row.user)).toEqual(odd);
    expect(rows.map((row) => row.value)).toEqual(odd.map((_, n) => n / 3));
    expect(rows.map((row) => row.at)).toEqual(odd.map((_, n) => (n - 4) * 43_200_000_001));
    expect(rows.map((row) => row.day)).toEqual([null, -3, -2, -1, 0, 1, 2, 3]);
    expect(rows.map((row) => JSON.parse(row.place) as unknown)).toEqual(
      odd.map((text, n) => [Math.floor(((n - 4) * 43_200_000_001) / 86_400_000_000), text]),
    );
  });

  it("hold the same rows whether a column came value by value or as a dictionary", async () => {
    const few = {
      user: ["é", "", "b"],
      value: [0.5, -1e300, 7],
      at: [-1, 1_700_000_000_000_001, 0],
      day: [null, -3, 20_000],
      tags: [null, {}, { __proto__x: "\u0000", b: "é" }],
      _op: [0, 0, 1],
    };
    const columnsOf = (from: number, rows: number): Columns => ({
      id: Array.from({ length: rows }, (_, row) => `id-${from + row}`),
      ...Object.fromEntries(
        Object.entries(few).map(([name, values]) => [name, Array.from({ length: rows }, (_, row) => values[row % 3]!)]),
      ),
    });
    const large = columnsOf(0, 3_000);
    const small = columnsOf(3_000, 6);
    expect(Buffer.from(encode(large)).toString()).toContain('"d.tags":[null,{},{"__proto__x"');
    expect(Buffer.from(encode(small)).toString()).not.toContain('"d.');
    await load("mixed", large, small, large);
    const plain = Array.from({ length: 501 }, (_, part) => columnsOf(part * 6, 6));
    await load("plain", ...plain, ...plain.slice(0, 500));
    expect(await connection.value("SELECT count(*) FROM mixed")).toBe(6_006);
    const numbered = (table: string) => `SELECT rowid AS number, * FROM ${table}`;
    for (const [one, other] of [
      ["mixed", "plain"],
      ["plain", "mixed"],
    ])
      expect(await connection.value(`SELECT count(*) FROM (${numbered(one!)} EXCEPT ${numbered(other!)})`)).toBe(0);
  });

  it("take in a message without rows, which only carries a position", async () => {
    await load("nothing", {});
    expect(await connection.value("SELECT count(*) FROM nothing")).toBe(0);
  });

  it("tell identities apart that would share a text, and not maps whose keys stand in another order", async () => {
    await load("digests", {
      user: ["a", "ab", "a", "a"],
      id: ["bc", "c", "x", "x"],
      value: [1, 1, 1, 1],
      at: [0, 0, 0, 0],
      day: [0, 0, 0, 0],
      tags: [{}, null, { a: "1", b: "2" }, { b: "2", a: "1" }],
      _op: [0, 0, 0, 0],
    });
    const rows = await connection.rows<{ identity: string; content: string }>(
      `SELECT CAST(${identityDigestSql(definition.identity)} AS VARCHAR) AS identity,
        CAST(${contentDigestSql(definition, ["value", "tags"])} AS VARCHAR) AS content FROM digests ORDER BY rowid`,
    );
    expect(rows[0]?.identity).not.toBe(rows[1]?.identity);
    expect(rows[2]?.identity).toBe(rows[3]?.identity);
    expect(rows[0]?.content).toBe(rows[1]?.content);
    expect(rows[2]?.content).toBe(rows[3]?.content);
    expect(rows[0]?.content).not.toBe(rows[2]?.content);
  });
});
