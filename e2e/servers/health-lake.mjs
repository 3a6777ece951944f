// The whole health lake on S3, with its own catalog and with three others, by configuration alone: loads the shipped
// sample, waits until it is settled, and compares counts and rows; `firn verify` recomputes every aggregate from raw.
//
//   node e2e/servers/health-lake.mjs [CATALOG …]     firn, apache-fixture, seaweedfs, nessie; all when none is named
//
// The last line is `N passed, N failed`.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { settled, startLake } from "../../bench/load/lake.mjs";
import { startServers } from "./start-servers.mjs";
import { helpIfAsked } from "../../tools/script-options.mjs";

const root = join(import.meta.dirname, "..", "..");
const firn = join(root, "apps", "cli", "dist", "main.js");
const samples = join(root, "samples", "health");
const files = readdirSync(samples).filter((name) => /\.(csv\.gz|ndjson)$/.test(name));
/** What the shipped sample is, whatever stores it. */
const expected = { received: 71_268, stored: 71_239, corrected: 0, duplicates: 6, rejected: 23, deleted: 0 };
helpIfAsked();
const named = process.argv.slice(2);
let passed = 0;
let failed = 0;

for (const catalog of named.length > 0 ? named : ["firn", "apache-fixture", "seaweedfs", "nessie"]) {
  const startMs = Date.now();
  try {
    await run(catalog);
    passed++;
    console.log(`  ✓ the health lake on S3 with ${catalog} (${Math.round((Date.now() - startMs) / 1000)} s)`);
  } catch (error) {
    failed++;
    console.log(`  ✗ the health lake on S3 with ${catalog}: ${error.message}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function run(catalog) {
  const servers = await startServers("seaweedfs", catalog);
  try {
    const lake = await startLake({ name: `lake-${catalog}`, env: servers.env });
    try {
      const env = { ...process.env, ...servers.env };
      const command = (...args) => execFileSync(process.execPath, [firn, ...args, "--data-dir", lake.dir], { env });
      command("replay", "--json", ...files.map((name) => join(samples, name)));
      const counts = (await settled(lake.endpoints, 180_000)).datasets.health;
      const wrong = Object.entries(expected).filter(([name, count]) => counts[name] !== count);
      if (wrong.length > 0) throw new Error(`counts are ${JSON.stringify(counts)}`);
      command("verify", "--json");
    } finally {
      await lake.stop();
    }
  } finally {
    await servers.stop();
  }
}
