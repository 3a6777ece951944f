import { encodeColumnBatch, type TableDefinition } from "@firn/core";
import { type KernelConnection, openKernel } from "@firn/lake";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
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

const folder = mkdtempSync(join(tmpdir(), "firn-sql-"));
let connection: KernelConnection;
let close = () => {};
beforeAll(async () => {
  const kernel = await openKernel({ memoryLimitMb: 256, threads: 1, tempDir: join(folder, "spill") });
  connection = await kernel.connect();
  close = () => {
    connection.close();
    kernel.close();
  };
});
afterAll(() => {
  close();
  rmSync(folder, { recursive: true, force: true });
});

async function load(name: string, columns: Record<string, (string | number | null | Record<string, string>)[]>) {
  const rows = columns["id"]?.length ?? 0;
  const path = join(folder, `${name}.json`);
  writeFileSync(path, encodeColumnBatch("t", { rows, columns }));
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
