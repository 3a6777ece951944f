/**
 * What the key index costs a commit: 100,000 look-ups (of which one in eight is known) and 88,000 new entries, with
 * 1, 10, 20 … million entries in it; and on the average of all rounds, with the merges of runs that they lead to.
 *
 *   node tools/run-ts.mjs bench/key-index.ts [--entries 1000000,20000000] [--batch 100000] [--rounds 40]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { keyOrder } from "../apps/catalog-writer/src/key-index/identity-keys.ts";
import { KeyIndex } from "../apps/catalog-writer/src/key-index/key-index.ts";
import type { BatchKeys } from "../apps/catalog-writer/src/resolve.ts";
import { costOf } from "./load/cost.ts";

const { values: options } = parseArgs({
  options: {
    entries: { type: "string", default: "1000000,20000000" },
    batch: { type: "string", default: "100000" },
    rounds: { type: "string", default: "40" },
  },
});
const batchRows = Number(options.batch);
const rounds = Number(options.rounds);
const folder = mkdtempSync(join(tmpdir(), "firn-key-index-"));
const index = KeyIndex.open(folder);
let next = 0;

/** Spreads numbers over 64 bits as a digest does (splitmix64, by halves). */
function mix(n: number, seed: number): bigint {
  let h = Math.imul(n ^ seed, 0x9e3779b1) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) >>> 0;
  h = (h ^ (h >>> 13)) >>> 0;
  const low = Math.imul(h ^ n, 0xc2b2ae35) >>> 0;
  return (BigInt(h) << 32n) | BigInt(low);
}

function keysOf(ids: Float64Array): BatchKeys {
  return {
    rows: ids.length,
    keyHigh: BigUint64Array.from(ids, (id) => mix(id, 1)),
    keyLow: BigUint64Array.from(ids, (id) => mix(id, 2)),
    content: new BigUint64Array(ids.length),
    tombstone: new Uint8Array(ids.length),
    partition: new Int32Array(ids.length),
  };
}

/** What making up records has cost, which is not the index's. */
let makingMs = 0;

async function commit(rows: number, known: number): Promise<{ lookUpMs: number; applyMs: number }> {
  const first = next;
  const before = process.cpuUsage();
  const keys = keysOf(Float64Array.from({ length: rows }, (_, n) => (n < known ? (n * 7919) % first : next++)));
  const changed = Int32Array.from({ length: rows - known }, (_, n) => known + n);
  const { user, system } = process.cpuUsage(before);
  makingMs += (user + system) / 1000;
  const started = performance.now();
  index.lookUp(keys, keyOrder(keys));
  const looked = performance.now();
  await index.apply(index.prepare({ keys, rows: changed, removes: () => false }), {
    tableUuid: "bench",
    snapshotId: String(next),
  });
  return { lookUpMs: looked - started, applyMs: performance.now() - looked };
}

for (const entries of options.entries.split(",").map(Number)) {
  const fill = await costOf(async () => {
    while (next < entries) await commit(Math.min(500_000, entries - next), 0);
    await index.settled();
  });
  const runs: { lookUpMs: number; applyMs: number }[] = [];
  makingMs = 0;
  const all = await costOf(async () => {
    for (let round = 0; round < rounds; round++) runs.push(await commit(batchRows, Math.round(batchRows * 0.12)));
    await index.settled();
  });
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[rounds >> 1] ?? NaN;
  console.log(
    `${entries.toLocaleString("en")} entries: look-up ${median(runs.map((run) => run.lookUpMs)).toFixed(0)} ms, ` +
      `apply ${median(runs.map((run) => run.applyMs)).toFixed(0)} ms for ${batchRows.toLocaleString("en")} records; ` +
      `CPU ${((all.cpuMs - makingMs) / rounds).toFixed(0)} ms a commit with what it leads to; filled with ${(fill.cpuMs / 1000).toFixed(1)} s of CPU; ` +
      `${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`,
  );
}
await index.close();
rmSync(folder, { recursive: true, force: true });
