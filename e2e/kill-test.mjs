// Kills processes of a running lake with SIGKILL while samples are sent, and checks that nothing is lost or doubled.
//
//   node e2e/kill-test.mjs [--seed N] [--samples N] [--users N] [--kills N] [--json]
//
// Each of ingest, validator, catalog-writer, aggregator, catalog and nats is killed at least once when there are six
// kills or more. In the end: the counters are exact, raw holds every identity once with its latest content (read
// through the query service), and `firn verify` finds every aggregate equal to raw. Exit 0 when all of it is so.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { makeLoad, random } from "../bench/load/health-samples.mjs";
import { settled, startLake } from "../bench/load/lake.mjs";
import { jsonRequest, sendInOrder } from "../bench/load/sender.mjs";

const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    samples: { type: "string", default: "200000" },
    users: { type: "string", default: "500" },
    kills: { type: "string", default: "12" },
    json: { type: "boolean", default: false },
  },
});
const [seed, samples, users, kills] = [options.seed, options.samples, options.users, options.kills].map(Number);
const root = join(import.meta.dirname, "..");
const victims = ["ingest", "validator", "catalog-writer", "aggregator", "catalog", "nats"];
const connections = 4;
const problemsShownMax = 20;
const say = (text) => process.stderr.write(`${text}\n`);

const draw = random(seed * 7 + 3);
const load = makeLoad({ samples, users, endMs: Date.UTC(2026, 9, 1), seed, days: 30 });
const bodies = [...load.payloads()].map((payload) => payload.body);
const lake = await startLake();
const endpointsNow = () => JSON.parse(readFileSync(join(lake.dir, "endpoints.json"), "utf8"));
const started = performance.now();
let report;
try {
  const killed = await sendWhileKilling();
  const pipeline = await settled(endpointsNow());
  const seconds = (performance.now() - started) / 1000;
  say(`settled after ${seconds.toFixed(1)} s`);
  const problems = [...wrongCounts(pipeline.datasets.health), ...(await wrongRows()), ...verify()];
  report = {
    seed,
    samples,
    kills: killed,
    seconds,
    counts: pipeline.datasets.health,
    expected: load.expected,
    problems,
  };
} finally {
  await lake.stop();
}
if (options.json) console.log(JSON.stringify(report));
else {
  console.log(
    `seed ${seed}: ${samples} samples, killed ${Object.entries(report.kills)
      .map(([name, n]) => `${name} ${n}×`)
      .join(", ")}`,
  );
  console.log(`counts   ${JSON.stringify(report.counts)}`);
  console.log(`expected ${JSON.stringify(report.expected)}`);
  console.log(
    report.problems.length === 0
      ? "nothing lost, nothing doubled, aggregates equal raw"
      : report.problems.slice(0, problemsShownMax).join("\n"),
  );
}
process.exitCode = report.problems.length === 0 ? 0 : 1;

/** Returns how often each was killed. */
async function sendWhileKilling() {
  const url = `${lake.endpoints.ingest}/v1/ingest/health`;
  const queues = Array.from({ length: connections }, () => []);
  for (const body of bodies) {
    const user = Number(/"userId":"u(\d+)"/.exec(body.slice(0, 200))?.[1] ?? 0);
    queues[user % connections].push(jsonRequest(url, body));
  }
  const counts = {};

  const paced = function* (requests) {
    for (const request of requests) yield request;
  };
  let sending = true;
  const sent = Promise.all(queues.map((requests) => sendInOrder(url, requests))).finally(() => (sending = false));
  const order = [...victims].sort(() => draw() - 0.5);
  for (let kill = 0; kill < kills; kill++) {
    await sleep(300 + draw() * 1700);
    const name = kill < order.length ? order[kill] : victims[Math.floor(draw() * victims.length)];
    const pid = endpointsNow().pids[name];
    try {
      process.kill(pid, "SIGKILL");
      counts[name] = (counts[name] ?? 0) + 1;
      say(`killed ${name}${sending ? "" : " (all sent)"}`);
    } catch {
      say(`${name} was down already`);
    }
  }
  await sent;
  return counts;
}

function wrongCounts(counts) {
  return Object.entries(load.expected)
    .filter(([name, expected]) => counts[name] !== expected)
    .map(([name, expected]) => `counter ${name} is ${counts[name]}, expected ${expected}`);
}

/** Every user's rows against the latest content of each identity. */
async function wrongRows() {
  const problems = [];
  const { query } = endpointsNow();
  for (let user = 0; user < users; user++) {
    const expected = new Map(load.latest(user).map((sample) => [sample.id, sample.value]));
    const rows = await rowsOf(query, load.userName(user));
    const seen = new Set();
    for (const row of rows) {
      if (seen.has(row.sample_id)) problems.push(`${load.userName(user)}: ${row.sample_id} is there twice`);
      seen.add(row.sample_id);
      if (expected.get(row.sample_id) !== row.value)
        problems.push(
          `${load.userName(user)}: ${row.sample_id} is ${row.value}, expected ${expected.get(row.sample_id)}`,
        );
    }
    for (const id of expected.keys()) if (!seen.has(id)) problems.push(`${load.userName(user)}: ${id} is lost`);
  }
  return problems;
}

async function rowsOf(query, user) {
  const rows = [];
  let cursor;
  do {
    const parameters = new URLSearchParams({ user_id: user, limit: "10000", ...(cursor && { cursor }) });
    parameters.set("start_time", "2026-08-01T00:00:00Z");
    parameters.set("end_time", "2026-10-02T00:00:00Z");
    const answer = await fetch(`${query}/api/health/raw?${parameters}`);
    if (!answer.ok) throw new Error(`raw answered ${answer.status}: ${await answer.text()}`);
    const body = await answer.json();
    rows.push(...body.data);
    cursor = body.page.cursor;
  } while (cursor);
  return rows;
}

function verify() {
  try {
    execFileSync(process.execPath, [join(root, "firn.mjs"), "verify", "--json", "--data-dir", lake.dir], {
      encoding: "utf8",
    });
    return [];
  } catch (error) {
    return [`firn verify: ${String(error.stdout || error.message).slice(0, 2000)}`];
  }
}
