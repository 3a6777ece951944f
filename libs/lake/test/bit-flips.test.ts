import { afterAll, beforeAll, expect, test } from "vitest";
import { currentFiles } from "../src/commit/current-files.ts";
import { isLakeError } from "../src/lake-error.ts";
import { decodeManifestList } from "../src/manifest/manifest-list.ts";
import { snapshotById } from "../src/metadata/table-metadata.ts";
import { goldenEnvironment, goldenTable } from "./golden-lake.ts";
import { openTamperedLake, type TamperedLake } from "./tampered-lake.ts";

/**
 * One bit of one file is flipped, under a fixed seed, and the whole table is read. It must end as the rows that are
 * there, or as an error of the lake; never as a crash, a hang or other rows. FIRN_TEST_FLIPS makes more of them.
 */

const FLIPS = Number(process.env["FIRN_TEST_FLIPS"] ?? 25);
const SEED = 20_261_121;
const LIMIT_MS = 300_000;

let lake: TamperedLake;
beforeAll(async () => {
  lake = await openTamperedLake();
});
afterAll(() => lake.close());

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function filesOf(name: string): Promise<Record<string, string[]>> {
  const table = await goldenTable(name);
  const env = goldenEnvironment();
  const list = snapshotById(table.metadata, table.metadata["current-snapshot-id"]!)!["manifest-list"]!;
  const manifests = await decodeManifestList(await lake.original(list));
  const { data, deletes } = await currentFiles(env, table);
  return {
    list: [list],
    manifest: manifests.map((manifest) => manifest.manifestPath),
    data: data.map((file) => file.filePath),
    deletes: deletes.map((file) => file.filePath),
  };
}

interface Outcomes {
  refused: number;
  /** Other rows than are there. */
  readonly wrong: string[];
  /** Errors that are none of the lake's. */
  readonly crashed: string[];
}

async function flipBits(name: string, part: string): Promise<Outcomes> {
  const locations = (await filesOf(name))[part]!;
  const rows = JSON.stringify(await lake.read(name, new Map()));
  const next = random(SEED);
  const outcomes: Outcomes = { refused: 0, wrong: [], crashed: [] };
  for (let n = 0; n < FLIPS; n++) {
    const location = locations[Math.floor(next() * locations.length)]!;
    const bytes = await lake.original(location);
    const bit = Math.floor(next() * bytes.length * 8);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const place = `bit ${bit} of ${location}`;
    try {
      if (JSON.stringify(await lake.read(name, new Map([[location, bytes]]))) !== rows) outcomes.wrong.push(place);
    } catch (error) {
      const refused = isLakeError(error, "corrupt", "unsupported", "invalid", "not_found");
      if (refused) outcomes.refused++;
      else outcomes.crashed.push(`${String(error)}: ${place}`);
    }
  }
  return outcomes;
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
    const { refused, wrong, crashed } = await flipBits(name, part);
    expect([...wrong, ...crashed]).toEqual([]);
    expect(refused).toBeGreaterThan(0);
  },
  LIMIT_MS,
);

// Parquet has no checksums that the kernel looks at: a bit in a page may well be a bit of a value (docs/gaps.md).
test.each([
  ["equality", "data"],
  ["equality", "deletes"],
  ["vectors", "data"],
  ["evolved", "data"],
])(
  "a bit of %s's %s files, which are Parquet, crashes nothing",
  async (name, part) => {
    const { refused, crashed } = await flipBits(name, part);
    expect(crashed).toEqual([]);
    expect(refused).toBeGreaterThan(0);
  },
  LIMIT_MS,
);

test(
  "a bit of the metadata file leaves rows of the same values, or is noticed",
  async () => {
    const table = await goldenTable("equality");
    const valuesOf = (rows: readonly string[]): string =>
      JSON.stringify(rows.map((row) => Object.values(JSON.parse(row) as object)));
    const values = valuesOf(await lake.read("equality", new Map()));
    const next = random(SEED);
    for (let n = 0; n < 2 * FLIPS; n++) {
      const bytes = await lake.original(table.metadataLocation);
      const bit = Math.floor(next() * bytes.length * 8);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const outcome = await lake
        .read("equality", new Map([[table.metadataLocation, bytes]]))
        .catch((error: unknown) => error);
      if (Array.isArray(outcome)) expect(valuesOf(outcome as string[]), `bit ${bit}`).toBe(values);
      else
        expect(
          isLakeError(outcome, "corrupt", "unsupported", "invalid", "not_found"),
          `bit ${bit}: ${String(outcome)}`,
        ).toBe(true);
    }
  },
  LIMIT_MS,
);
