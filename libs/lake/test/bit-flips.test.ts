import { afterAll, beforeAll, expect, test } from "vitest";
import { currentFiles } from "../src/commit/current-files.ts";
import { decodeManifestList } from "../src/manifest/manifest-list.ts";
import { snapshotById } from "../src/metadata/table-metadata.ts";
import { flipBits, type FlipOutcomes } from "./flipped-bits.ts";
import { goldenEnvironment, goldenTable } from "./golden-lake.ts";
import { openTamperedLake, type TamperedLake } from "./tampered-lake.ts";

/**
 * One bit of one file that Spark wrote is flipped, under a fixed seed, and the whole table is read. It must end as the
 * rows that are there, or as an error of the lake; never as a crash, a hang or other rows. FIRN_TEST_FLIPS makes more of
 * them. Files of ours: own-bit-flips.test.ts.
 */

const FLIPS = Number(process.env["FIRN_TEST_FLIPS"] ?? 25);
const LIMIT_MS = 300_000;

let lake: TamperedLake;
beforeAll(async () => {
  lake = await openTamperedLake();
});
afterAll(() => lake.close());

async function filesOf(name: string): Promise<Record<string, string[]>> {
  const table = await goldenTable(name);
  const env = goldenEnvironment();
  const list = snapshotById(table.metadata, table.metadata["current-snapshot-id"]!)!["manifest-list"]!;
  const manifests = await decodeManifestList(await lake.original(list));
  const { data, deletes } = await currentFiles(env, table);
  return {
    metadata: [table.metadataLocation],
    list: [list],
    manifest: manifests.map((manifest) => manifest.manifestPath),
    data: data.map((file) => file.filePath),
    deletes: deletes.map((file) => file.filePath),
  };
}

/** @param shown what of the rows, sorted JSON lines, must stay the same */
async function flip(name: string, part: string, flips: number, shown = JSON.stringify): Promise<FlipOutcomes> {
  const locations = (await filesOf(name))[part]!;
  const rows = shown(await lake.read(name, new Map()));
  return flipBits({
    flips,
    locations,
    original: (location) => lake.original(location),
    readsTheSame: async (location, bytes) => shown(await lake.read(name, new Map([[location, bytes]]))) === rows,
  });
}

test.each([
  ["equality", "list"],
  ["equality", "manifest"],
  ["vectors", "list"],
  ["vectors", "manifest"],
  ["vectors", "deletes"],
])(
  "a bit of %s's %s files changes no row, or is noticed",
  async (name, part) => {
    const { refused, wrong, crashed } = await flip(name, part, FLIPS);
    expect([...wrong, ...crashed]).toEqual([]);
    expect(refused).toBeGreaterThan(0);
  },
  LIMIT_MS,
);

// Nothing in these files is a checksum: a bit in a page may well be a bit of a value (docs/gaps.md).
test.each([
  ["equality", "data"],
  ["equality", "deletes"],
  ["vectors", "data"],
  ["evolved", "data"],
])(
  "a bit of %s's %s files, which are Parquet, crashes nothing",
  async (name, part) => {
    const { refused, crashed } = await flip(name, part, FLIPS);
    expect(crashed).toEqual([]);
    expect(refused).toBeGreaterThan(0);
  },
  LIMIT_MS,
);

test(
  "a bit of the metadata file leaves rows of the same values, or is noticed",
  async () => {
    // A bit of a column's name is a bit of the rows' JSON.
    const values = (rows: readonly string[]): string =>
      JSON.stringify(rows.map((row) => Object.values(JSON.parse(row) as object)));
    const { wrong, crashed } = await flip("equality", "metadata", 2 * FLIPS, values);
    expect([...wrong, ...crashed]).toEqual([]);
  },
  LIMIT_MS,
);
