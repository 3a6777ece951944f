import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { currentFiles } from "../src/commit/current-files.ts";
import { lakeEnvironment } from "../src/commit/environment.ts";
import type { Table } from "../src/commit/table.ts";
import { readManifestList } from "../src/manifest/manifest-io.ts";
import { metadataBytes, nextMetadataLocation, readMetadata } from "../src/metadata/metadata-file.ts";
import { currentSnapshot } from "../src/metadata/table-metadata.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { planScan } from "../src/scan/plan-scan.ts";
import { scanRows } from "../src/scan/scan-rows.ts";
import { pathOfLocation } from "../src/store/location.ts";
import { stageUpsert } from "../src/upsert/stage-upsert.ts";
import { flipBits } from "./flipped-bits.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

/**
 * One bit of one file of a table that Firn wrote is flipped on the disk, under a fixed seed, and the whole table is
 * read. Every file carries a checksum, so flips must be refused. FIRN_TEST_FLIPS makes more of them.
 */

const FLIPS = Number(process.env["FIRN_TEST_FLIPS"] ?? 80);
const LIMIT_MS = 300_000;

let lake: LakeFixture;
let table: Table;
let files: Record<string, string[]>;
let rows: string;

beforeAll(async () => {
  lake = await openFixture();
  table = await tableWithDeletes();
  const snapshot = currentSnapshot(table.metadata)!;
  const { data, deletes } = await currentFiles(lake.env, table);
  const manifests = await readManifestList(lake.env, snapshot["manifest-list"]!);
  files = {
    metadata: [table.metadataLocation],
    list: [snapshot["manifest-list"]!],
    manifest: manifests.map((manifest) => manifest.manifestPath),
    data: data.map((file) => file.filePath),
    delete: deletes.map((file) => file.filePath),
  };
  rows = await readAll();
}, LIMIT_MS);
afterAll(() => lake.close());

/** Days and kinds in files of their own; of each file a few rows are deleted by position. */
async function tableWithDeletes(): Promise<Table> {
  const { env, connection } = lake;
  const columns = [
    { name: "k", type: "string", required: true },
    { name: "at", type: "timestamptz", required: true },
    { name: "v", type: "double", required: false },
    { name: "tags", type: "map<string,string>", required: false },
  ];
  const created = await lake.createTable({
    columns,
    identity: ["k"],
    partition: [{ source: "at", name: "day", transform: "day" }],
    properties: { "write.parquet.compression-codec": "snappy" },
  });
  const some = (from: number, to: number, value: string): string =>
    `SELECT 'key' || i AS k, TIMESTAMPTZ '2026-01-01 00:00:00Z' + INTERVAL (i % 3) DAY AS at,
       ${value} AS v, MAP {'unit': 'bpm'} AS tags FROM range(${from}, ${to}) AS r(i)`;
  const addedData = await stageRows(connection, { env, table: created, relationSql: some(0, 9_000, "i / 7") });
  const first = await lake.commit(created, { operation: "append", addedData });
  const changed = await stageUpsert(connection, {
    env,
    table: first,
    rowsSql: some(0, 60, "-i"),
    keyColumns: ["k", "at"],
    sort: ["k"],
  });
  const second = await lake.commit(first, { operation: "overwrite", ...changed });
  // As apps/catalog writes it.
  const bytes = await metadataBytes(second.metadata);
  const metadataLocation = nextMetadataLocation(second.metadata, second.metadataLocation, "a-b", bytes);
  await env.store.put(metadataLocation, bytes);
  return { ...second, metadataLocation };
}

/** All rows as sorted JSON, by a reader that has seen none of the table. */
async function readAll(): Promise<string> {
  const { catalog, store } = lake.env;
  const env = lakeEnvironment({ catalog, store: { ...store } });
  const metadata = await readMetadata(await store.get(table.metadataLocation), table.metadataLocation);
  const plan = await planScan({ env, table: { ...table, metadata } });
  const found: string[] = [];
  for await (const row of scanRows(lake.connection, plan, { store: env.store })) found.push(JSON.stringify(row));
  return found.sort().join("\n");
}

test("the table has files of all kinds", () => {
  expect(rows.split("\n")).toHaveLength(9_000);
  for (const part of Object.values(files)) expect(part.length).toBeGreaterThan(0);
});

test.each(["metadata", "list", "manifest", "data", "delete"])(
  "a bit of its %s files is noticed, and the file named",
  async (part) => {
    const { refused, wrong, crashed } = await flipBits({
      flips: FLIPS,
      locations: files[part]!,
      original: (location) => readFile(pathOfLocation(location)),
      readsTheSame: async (location, bytes) => {
        const path = pathOfLocation(location);
        const original = await readFile(path);
        await writeFile(path, bytes);
        try {
          return (await readAll()) === rows;
        } catch (error) {
          if (!String(error).includes(location)) throw new Error("the file is not named", { cause: error });
          throw error;
        } finally {
          await writeFile(path, original);
        }
      },
    });
    expect([...wrong, ...crashed]).toEqual([]);
    // An optional key of a manifest's header may become another, which says nothing.
    if (part === "manifest" || part === "list") expect(refused).toBeGreaterThan(0.9 * FLIPS);
    else expect(refused).toBe(FLIPS);
  },
  LIMIT_MS,
);
