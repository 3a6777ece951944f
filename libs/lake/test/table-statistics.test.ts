import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findOrphans } from "../src/commit/orphan-files.ts";
import { loadTable } from "../src/commit/table.ts";
import { parseLakeJson } from "../src/metadata/json.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { currentStatistics, writeTableStatistics } from "../src/statistics/table-statistics.ts";
import { pathOfLocation } from "../src/store/location.ts";
import { stageUpsert } from "../src/upsert/stage-upsert.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

let lake: LakeFixture;
beforeAll(async () => {
  lake = await openFixture();
});
afterAll(() => lake.close());

it("statistics count the different values of every plain column, without deleted rows, and stay with the table", async () => {
  const { env, connection } = lake;
  const created = await lake.createTable({
    columns: [
      { name: "k", type: "string", required: true },
      { name: "day", type: "date", required: true },
      { name: "at", type: "timestamptz", required: true },
      { name: "n", type: "long", required: false },
      { name: "v", type: "double", required: false },
      { name: "flag", type: "boolean", required: false },
      { name: "tags", type: "map<string,string>", required: false },
    ],
    identity: ["k"],
    partition: [{ source: "day", name: "day_day", transform: "day" }],
  });
  expect(await writeTableStatistics(env, connection, created)).toBe(created);
  const rows = (from: number, to: number): string =>
    `SELECT 'k' || i AS k, DATE '2026-01-01' + (i % 4)::INTEGER AS day, TIMESTAMPTZ '2026-01-01 00:00:00Z' + INTERVAL (i % 50) SECOND AS at,
       CASE WHEN i % 2 = 0 THEN i % 20 END AS n, (i % 7) / 2 AS v, i % 3 = 0 AS flag, MAP {'a': 'b'} AS tags
     FROM range(${from}, ${to}) AS r(i)`;
  const addedData = await stageRows(connection, { env, table: created, relationSql: rows(0, 9_000) });
  const first = await lake.commit(created, { operation: "append", addedData });
  const change = await stageUpsert(connection, {
    env,
    table: first,
    rowsSql: `${rows(0, 0)}`,
    deleteKeysSql: "SELECT 'k' || i AS k FROM range(0, 100) AS r(i)",
    keyColumns: ["k"],
  });
  const table = await lake.commit(first, { operation: "overwrite", ...change });
  expect(currentStatistics(table.metadata)).toBeUndefined();

  const after = await writeTableStatistics(env, connection, table);
  const file = currentStatistics((await loadTable(env, table.identifier)).metadata)!;
  expect(file).toEqual(currentStatistics(after.metadata));
  const ndv = new Map(file["blob-metadata"].map((blob) => [blob.fields[0], Number(blob.properties?.["ndv"])]));
  const columns = new Map(after.metadata.schemas.at(-1)!.fields.map((field) => [field.name, ndv.get(field.id)]));
  expect(Math.abs(columns.get("k")! / 8_900 - 1)).toBeLessThan(0.05);
  const { k: _k, ...exact } = Object.fromEntries(columns);
  expect(exact).toEqual({ day: 4, at: 50, n: 10, v: 7, flag: 2, tags: undefined });

  const bytes = await readFile(pathOfLocation(file["statistics-path"]));
  expect(bytes.length).toBe(file["file-size-in-bytes"]);
  const footer = bytes.subarray(bytes.length - file["file-footer-size-in-bytes"]);
  for (const magic of [bytes.subarray(0, 4), footer.subarray(0, 4), footer.subarray(-4)])
    expect(magic.toString("latin1")).toBe("PFA1");
  const json = footer.subarray(4, 4 + footer.readUInt32LE(footer.length - 12));
  const { blobs } = parseLakeJson(json.toString("utf8")) as { blobs: { offset: number; length: number }[] };
  expect(blobs).toHaveLength(6);
  for (const { offset } of blobs) expect([...bytes.subarray(offset + 1, offset + 3)]).toEqual([3, 3]);
  expect(await findOrphans(env, after, { olderThanMs: Date.now() + 3_600_000, spared: async () => [] })).toEqual([]);
});
