import { afterAll, beforeAll, expect, it } from "vitest";
import { InProcessLake } from "./support/in-process-lake.ts";
import { beyondBounds, sendRound, tableShapes } from "./support/soak-rounds.ts";

/** The short form of `e2e/soak.mjs`: files, manifests and metadata stay bounded while rows come, late and corrected. */
const secondsMax = 25;
const roundsMax = 60;

let lake: InProcessLake;
beforeAll(async () => {
  lake = await InProcessLake.open({ maintain: true });
});
afterAll(() => lake.close());

it("keeps tables within their bounds at every look, and loses nothing", { timeout: 120_000 }, async () => {
  const endMs = Date.now() + secondsMax * 1_000;
  let looks = 0;
  // A slow machine takes longer, until it has looked once.
  for (let round = 0; round < roundsMax && (Date.now() < endMs || looks === 0); round++) {
    await sendRound(lake, round);
    // Each round is a commit of its own.
    await lake.settle();
    if (round % 5 !== 4) continue;
    for (const shape of await tableShapes(lake)) expect(beyondBounds(shape)).toEqual([]);
    looks++;
  }
  expect(looks).toBeGreaterThan(0);
  await lake.settle();
  const { received, ...outcomes } = await lake.counts();
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(received);
  expect(outcomes.corrected).toBeGreaterThan(0);
  expect(await lake.rows(lake.dataset.raw, ["sample_id"])).toHaveLength(outcomes.stored);
});

it("are bounds that a table can break", () => {
  const shape = { table: "t", partitions: 2, dataFiles: 81, deleteFiles: 146, manifests: 151, snapshots: 1 };
  expect(beyondBounds({ ...shape, metadataBytes: 2 ** 24 })).toHaveLength(4);
  expect(beyondBounds({ ...shape, dataFiles: 80, deleteFiles: 144, manifests: 150, metadataBytes: 1 })).toEqual([]);
});
