import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "@firn/testing";
import { afterEach, expect, test } from "vitest";
import { keyOrder } from "../src/key-index/identity-keys.ts";
import { KeyIndex } from "../src/key-index/key-index.ts";

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A copy of the index that a release of Firn has left behind: a run, and a log with the newest entries. */
async function leftBehind(): Promise<string> {
  const folder = await tempFolder("key-index");
  cleanUps.push(() => folder.remove());
  const path = join(folder.path, "index");
  cpSync(join(import.meta.dirname, "golden", "key-index.v2"), path, { recursive: true });
  return path;
}

function open(path: string): KeyIndex {
  const index = KeyIndex.open(path, { recentMax: 200 });
  cleanUps.push(() => index.close());
  return index;
}

/** As the golden index was made: the content of identity n is 2^64 - 1 - n. */
function ask(index: KeyIndex, ids: readonly number[]) {
  const keys = {
    rows: ids.length,
    keyHigh: BigUint64Array.from(ids, (id) => BigInt((id * 2654435761) >>> 0) << 32n),
    keyLow: BigUint64Array.from(ids, (id) => BigInt(id)),
  };
  const { found, content, partition } = index.lookUp(keys, keyOrder(keys));
  return ids.map((_, row) =>
    found[row] === 1 ? [2n ** 64n - 1n - content[row]!, index.partitionName(partition[row]!)] : undefined,
  );
}

test("an index of version 2 is gone on with", async () => {
  const index = open(await leftBehind());
  expect(index.state()).toMatchObject({ tableUuid: "t", snapshotId: "19", whole: true });
  expect(ask(index, [0, 7, 299, 300, 501])).toEqual([
    [0n, "20045/heartRate"],
    undefined,
    [299n, "20045/heartRate"],
    undefined,
    [501n, "20046/heartRate"],
  ]);
});

test("an index of another version is of no use, and made anew", async () => {
  const path = await leftBehind();
  const manifest = readFileSync(join(path, "index.json"), "utf8");
  writeFileSync(join(path, "index.json"), manifest.replaceAll("2:md5:", "3:md5:"));
  writeFileSync(join(path, "recent.log"), "");
  const index = open(path);
  expect(index.state()).toBeUndefined();
});

test("a run of another version is of no use, and made anew", async () => {
  const path = await leftBehind();
  const manifest = JSON.parse(readFileSync(join(path, "index.json"), "utf8")) as { runs: string[] };
  const run = join(path, manifest.runs[0]!);
  const bytes = readFileSync(run);
  bytes.writeUInt32LE(bytes.readUInt32LE(bytes.length - 28) + 1, bytes.length - 28);
  writeFileSync(run, bytes);
  const index = open(path);
  expect(index.state()).toBeUndefined();
  expect(ask(index, [0])).toEqual([undefined]);
});
