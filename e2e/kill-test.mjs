// Kills processes of a running lake with SIGKILL while samples are sent, and checks that nothing is lost or doubled.
//
//   node e2e/kill-test.mjs [--seed N] [--samples N] [--users N] [--kills N] [--s3 seaweedfs|versitygw] [--json]
//
// With --s3 the warehouse lies on a real S3 server, which is killed too and comes back a second later.
// Each of ingest, validator, catalog-writer, aggregator, catalog and nats is killed at least once when there are six
// kills or more, all of them while samples are still being sent. In the end: the counters are exact (a request whose
// answer was lost is sent again and may count twice, as duplicates), raw holds every identity once with its latest
// content (the query service gives the same for some users), and `firn verify` finds every aggregate equal to raw. Exit 0 when all of
// it is so. The same seed gives the same samples, victims and pauses.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeLoad, random } from "../bench/load/health-samples.mjs";
import { settled, startLake } from "../bench/load/lake.mjs";
import { jsonRequest, sendInOrder } from "../bench/load/sender.mjs";
import { startServers } from "./servers/start-servers.mjs";
import { judgeAnswers, judgeRows, problemsOf, verifyLake, wrongCounts } from "./support/judge-lake.mjs";
import { scriptOptions } from "../tools/script-options.mjs";

const options = scriptOptions({
  seed: { type: "string", default: "1" },
  samples: { type: "string", default: "200000" },
  users: { type: "string", default: "500" },
  kills: { type: "string", default: "12" },
  s3: { type: "string" },
  json: { type: "boolean", default: false },
});
const [seed, samples, users, kills] = [options.seed, options.samples, options.users, options.kills].map(Number);
const victims = [
  "ingest",
  "validator",
  "catalog-writer",
  "aggregator",
  "catalog",
  "nats",
  ...(options.s3 ? ["s3"] : []),
];
const connections = 4;
const usersAsked = 5;
const pauseMs = { min: 300, max: 2000 };
const aliveLimitMs = 60_000;
const problemsShownMax = 20;
const say = (text) => process.stderr.write(`${text}\n`);

const draw = random(seed * 7 + 3);
const pauses = Array.from({ length: kills }, () => pauseMs.min + draw() * (pauseMs.max - pauseMs.min));
const order = victims.map((name) => ({ name, at: draw() })).sort((one, other) => one.at - other.at);
const load = makeLoad({ samples, users, endMs: Date.UTC(2026, 9, 1), seed, days: 30 });
const bodies = [...load.payloads()].map((payload) => payload.body);
const servers = options.s3 === undefined ? undefined : await startServers(options.s3);
const environment = { ...process.env, ...servers?.env };
const lake = await startLake({ name: "kill-test", env: servers?.env });
const endpointsNow = () => JSON.parse(readFileSync(join(lake.dir, "endpoints.json"), "utf8"));
const started = performance.now();
let report;
try {
  const sentAgain = new Map();
  const [killed] = await Promise.all([killOneByOne(), sendAll(sentAgain)]);
  const pipeline = await settled(endpointsNow());
  const settledSeconds = (performance.now() - started) / 1000;
  const counts = pipeline.datasets.health;
  const place = { dir: lake.dir, environment, load, users, query: endpointsNow().query, usersAsked };
  const judged = await Promise.all([judgeRows(place), judgeAnswers(place)]);
  const wrong = [...judged.flatMap(problemsOf), ...(await verifyLake(place))];
  report = {
    seed,
    samples,
    killed,
    sentAgain: [...sentAgain.values()].reduce((sum, times) => sum + times, 0),
    counts,
    expected: load.expected,
    settledSeconds: Math.round(settledSeconds * 10) / 10,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    problems: [...wrongCounts({ bodies, counts, load, sentAgain }), ...wrong],
  };
} finally {
  const keep = (report?.problems.length ?? 1) > 0;
  if (keep) say(`the lake is kept in ${lake.dir}`);
  await lake.stop({ keep });
  await servers?.stop();
}
console.log(options.json ? JSON.stringify(report) : summary(report));
process.exitCode = report.problems.length === 0 ? 0 : 1;

function summary({ killed, sentAgain, counts, expected, settledSeconds, seconds, problems }) {
  const times = Object.entries(killed).map(([name, n]) => `${name} ${n}×`);
  return [
    `seed ${seed}: ${samples} samples, killed ${times.join(", ")}; ${sentAgain} requests sent again`,
    `counts   ${JSON.stringify(counts)}`,
    `expected ${JSON.stringify(expected)}, and duplicates where an answer was lost`,
    `settled after ${settledSeconds} s, checked after ${seconds} s`,
    ...(problems.length === 0
      ? ["nothing lost, nothing doubled, aggregates equal raw"]
      : [`${problems.length} problems`, ...problems.slice(0, problemsShownMax)]),
  ].join("\n");
}

/** Sends for a little longer than is killed: a user's payloads in order on one connection. */
async function sendAll(sentAgain) {
  const url = `${lake.endpoints.ingest}/v1/ingest/health`;
  const lanes = Array.from({ length: connections }, () => []);
  const indexOf = new Map();
  bodies.forEach((body, index) => {
    const request = jsonRequest(url, body);
    indexOf.set(request, index);
    lanes[laneOf(body)].push(request);
  });
  const onRetry = (request) => {
    const index = indexOf.get(request);
    sentAgain.set(index, (sentAgain.get(index) ?? 0) + 1);
  };
  const sendingMs = pauses.reduce((sum, ms) => sum + ms, pauseMs.max);
  const parts = kills * 5 + 1;
  await Promise.all(
    lanes.map(async (requests) => {
      const size = Math.ceil(requests.length / parts);
      for (let part = 0; part * size < requests.length; part++) {
        const dueMs = started + (part / parts) * sendingMs - performance.now();
        if (dueMs > 0) await sleep(dueMs);
        await sendInOrder(url, requests.slice(part * size, (part + 1) * size), { onRetry });
      }
    }),
  );
  say(`all sent after ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function laneOf(body) {
  const user = Number(/"userId":"u(\d+)"/.exec(body.slice(0, 200))?.[1] ?? 0);
  return user % connections;
}

/** Returns how often each was killed. */
async function killOneByOne() {
  const counts = {};
  for (let kill = 0; kill < kills; kill++) {
    await sleep(pauses[kill]);
    const name = kill < order.length ? order[kill].name : victims[Math.floor(draw() * victims.length)];
    await (name === "s3" ? servers.killS3() : killWhenAlive(name));
    counts[name] = (counts[name] ?? 0) + 1;
    say(`killed ${name}`);
  }
  return counts;
}

/** One that is just being brought back is waited for. */
async function killWhenAlive(name) {
  const deadline = Date.now() + aliveLimitMs;
  for (;;) {
    try {
      return process.kill(endpointsNow().pids[name], "SIGKILL");
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
