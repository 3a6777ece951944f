import { createHealthDataset } from "@firn/datasets";
import { type LocalKernel, openLocalKernel } from "@firn/testing";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { KeyIndex } from "../src/key-index/key-index.ts";
import { readKeys } from "../src/keyed-rows.ts";

const { raw, identity } = createHealthDataset();
const shape = { definition: raw, identity, content: ["value"] };

let local: LocalKernel;
let index: KeyIndex;

beforeAll(async () => {
  local = await openLocalKernel("keyed-rows");
  index = KeyIndex.open(join(local.folder, "index"), { content: shape.content });
});
afterAll(async () => {
  await index?.close();
  await local?.close();
});

/** A thousand samples on days of their own. */
const samplesOf = (month: number) =>
  `(SELECT 'user' AS user_id, 'sample-' || n AS sample_id, 'steps' AS data_type, n / 2 AS value,
    make_timestamptz(2026, ${month}, 1 + (n % 28)::INTEGER, 0, 0, 0) AS start_date FROM range(1000) AS numbers(n))`;

it("places of two batches that are read on one connection at a time are not mixed up", async () => {
  const { connection } = local;
  const months = [1, 2, 3, 4, 5, 6];
  const together = await Promise.all(months.map((month) => readKeys(connection, shape, index, samplesOf(month), "0")));
  for (const [at, month] of months.entries()) {
    const alone = await readKeys(connection, shape, index, samplesOf(month), "0");
    expect([...together[at]!.partition].sort()).toEqual([...alone.partition].sort());
    expect(new Set(together[at]!.partition).size).toBe(28);
  }
});
