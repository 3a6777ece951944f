// How fast events become tables: 2 million samples from HTTP to settled, and freshness under a live load.
//
//   node bench/ingest.mjs [--samples N] [--payloads-per-request N] [--live-seconds S] [--live-rate SAMPLES_A_SECOND]
//     [--skip-live] [--skip-reference] [--json]
//
// Prints samples per second, CPU seconds and memory of each service, live files and bytes, freshness, and DuckDB alone
// doing the same work on the same data as the reference. Nothing here passes or fails but the counts, which must be
// exact.
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { makeLoad } from "./load/health-samples.mjs";
import { settled, startLake } from "./load/lake.mjs";
import { measureFreshness } from "./load/freshness.mjs";
import { liveFiles } from "./load/live-files.mjs";
import { watchCpu, watchMemory } from "./load/processes.mjs";
import { referenceRun } from "./load/reference.mjs";
import { jsonRequest, linesRequest, sendInOrder } from "./load/sender.mjs";
import { scriptOptions } from "../tools/script-options.mjs";

const options = scriptOptions({
  samples: { type: "string", default: "2000000" },
  "payloads-per-request": { type: "string", default: "10" },
  "live-seconds": { type: "string", default: "60" },
  "live-rate": { type: "string", default: "5000" },
  "skip-live": { type: "boolean", default: false },
  "skip-reference": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
});
const samples = Number(options.samples);
const connections = 8;
const perRequest = Number(options["payloads-per-request"]);
const say = (text) => process.stderr.write(`${text}\n`);
const rate = (value) => Math.round(value).toLocaleString("en");

const endMs = Date.UTC(2026, 9, 1);
const load = makeLoad({ samples, endMs });
const bodies = [...load.payloads()].map((payload) => payload.body);
const lake = await startLake();
const result = { commit: commit(), machine: `${cpus().length} × ${cpus()[0]?.model}`, node: process.version, samples };
try {
  result.ingest = await ingest(lake);
  if (!options["skip-live"]) result.live = await live(lake);
} finally {
  await lake.stop();
}
if (!options["skip-reference"]) result.reference = await referenceRun(bodies, say);
print(result);

/** Everything sent as fast as it is taken, each user's payloads in order on one connection. */
async function ingest({ endpoints }) {
  const url = `${endpoints.ingest}/v1/ingest/health`;
  const queues = Array.from({ length: connections }, () => []);
  for (const body of bodies) {
    const user = Number(/"userId":"u(\d+)"/.exec(body.slice(0, 200))?.[1] ?? 0);
    queues[user % connections].push(body);
  }
  const requests = queues.map((queue) =>
    Array.from({ length: Math.ceil(queue.length / perRequest) }, (_, n) => {
      const payloads = queue.slice(n * perRequest, (n + 1) * perRequest);
      return perRequest === 1 ? jsonRequest(url, payloads[0]) : linesRequest(url, payloads);
    }),
  );
  await settled(endpoints);
  const cpuSince = watchCpu(endpoints.pids);
  const stopWatching = watchMemory(endpoints.pids);
  const started = performance.now();
  say(`sending ${rate(samples)} samples`);
  await Promise.all(requests.map((mine) => sendInOrder(url, mine)));
  const sentMs = performance.now() - started;
  say(`sent in ${(sentMs / 1000).toFixed(1)} s, waiting until settled`);
  const pipeline = await settled(endpoints);
  const settledMs = performance.now() - started;
  const cpu = cpuSince();
  const services = Object.entries(cpu).filter(([name]) => name !== "nats" && name !== "database");
  const serviceCpu = services.reduce((sum, [, seconds]) => sum + seconds, 0);
  say("merging goes on for a while");
  await sleep(Number(process.env.BENCH_MERGE_MS ?? 20_000));
  const files = await liveFiles(endpoints);
  const memory = stopWatching();
  return {
    sentSeconds: sentMs / 1000,
    settledSeconds: settledMs / 1000,
    samplesPerSecond: samples / (settledMs / 1000),
    cpuSeconds: cpu,
    samplesPerCpuSecond: samples / serviceCpu,
    memoryMiB: memory.most,
    memoryTogetherMiB: memory.together,
    files,
    counts: pipeline.datasets.health,
    expected: load.expected,
  };
}

async function live({ endpoints }) {
  const seconds = Number(options["live-seconds"]);
  say(`live: ${options["live-rate"]} samples a second for ${seconds} s`);
  const cpuSince = watchCpu(endpoints.pids);
  const freshness = await measureFreshness(endpoints, { rate: Number(options["live-rate"]), seconds });
  return { ...freshness, cpuSeconds: cpuSince() };
}

function commit() {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

function print(all) {
  if (options.json) return console.log(JSON.stringify(all, undefined, 2));
  const { ingest: run, live: fresh, reference } = all;
  console.log(`commit ${all.commit}, ${all.machine}, Node ${all.node}, ${rate(samples)} samples`);
  console.log(`from HTTP to settled  ${rate(run.samplesPerSecond)} samples/s (${run.settledSeconds.toFixed(1)} s)`);
  console.log(`per CPU second        ${rate(run.samplesPerCpuSecond)} samples, all services, the broker apart`);
  for (const [name, seconds] of Object.entries(run.cpuSeconds))
    console.log(
      `  ${name.padEnd(16)} ${seconds.toFixed(1).padStart(7)} CPU s  ${run.memoryMiB[name].toFixed(0).padStart(5)} MiB anonymous at most`,
    );
  console.log(`  together ${run.memoryTogetherMiB.toFixed(0)} MiB`);
  for (const [table, { dataFiles, deleteFiles, bytes, rows }] of Object.entries(run.files))
    console.log(
      `  ${table.padEnd(26)} ${rate(rows)} rows, ${dataFiles} data and ${deleteFiles} delete files, ${(bytes / 1e6).toFixed(1)} MB`,
    );
  const wrong = Object.entries(run.expected).filter(([name, count]) => run.counts[name] !== count);
  console.log(
    wrong.length === 0
      ? "counts exact"
      : `COUNTS DIFFER: ${JSON.stringify(run.counts)} instead of ${JSON.stringify(run.expected)}`,
  );
  if (fresh)
    console.log(
      `freshness at ${options["live-rate"]}/s       raw p50 ${fresh.raw.p50} p95 ${fresh.raw.p95} ms, daily p50 ${fresh.daily.p50} p95 ${fresh.daily.p95} ms (${fresh.probes} probes)`,
    );
  if (fresh)
    console.log(
      `  CPU seconds meanwhile: ${Object.entries(fresh.cpuSeconds)
        .map(([name, used]) => `${name} ${used.toFixed(1)}`)
        .join(", ")}`,
    );
  if (reference) {
    console.log(
      `DuckDB alone          ${rate(reference.samplesPerCpuSecond)} samples per CPU second, ${rate(reference.samplesPerSecond)}/s`,
    );
    console.log(
      `ratio                 ${(reference.samplesPerCpuSecond / run.samplesPerCpuSecond).toFixed(1)}× the CPU of DuckDB alone`,
    );
  }
  if (wrong.length > 0) process.exitCode = 1;
}
