// Steady ingest with late data and corrections into a running lake, and whether its tables stay small by it.
//
//   node e2e/soak.mjs [--minutes N] [--rate SAMPLES_A_SECOND] [--json]
//
// Prints each table's files, manifests and bytes of metadata and the time of a question after the first quarter of a minute and at
// the end. Exit 0 when every look was within the bounds (8 data files a partition of raw and 64 more, for other tables 64 and
// 8 for each bucket of a month; delete files at most data files + 64; 150 manifests; 8 MiB of metadata), the question's
// latency at the end within twice that at the start, and the counts add up.
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { settled, startLake } from "../bench/load/lake.mjs";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    rate: { type: "string", default: "500" },
    json: { type: "boolean", default: false },
  },
});
const [minutes, rate] = [options.minutes, options.rate].map(Number);
const users = 200;
const daysBack = 10;
const dayMs = 86_400_000;
const types = { heartRate: "count/min", stepCount: "count" };
const warmUpMs = Math.min(15_000, minutes * 15_000);
const lookEveryMs = 15_000;
const questions = 60;
/** Buckets of users times the months, or years, of the aggregates. */
const aggregatePartitions = 8 * 2;
const lastDayMs = Date.UTC(2026, 5, 20);

const lake = await startLake({ name: "soak" });
const problems = [];
let sent = 0;
try {
  const started = Date.now();
  const endMs = started + minutes * 60_000;
  const sending = send(endMs);
  await sleep(warmUpMs);
  const start = await look();
  while (Date.now() < endMs) {
    await sleep(Math.min(lookEveryMs, Math.max(0, endMs - Date.now())));
    checkBounds(await tables());
  }
  await sending;
  const end = await look();
  const { datasets } = await settled(lake.endpoints);
  checkCounts(datasets.health);
  if (end.questionMs > 2 * Math.max(start.questionMs, 1)) problems.push("the question takes more than twice as long");
  report({ start, end, counts: datasets.health, problems });
} finally {
  await lake.stop();
}
process.exitCode = problems.length === 0 ? 0 : 1;

/** Each second some samples of the newest day; a fifth comes late, a fifth corrects earlier ones. */
async function send(endMs) {
  for (let second = 0; Date.now() < endMs; second++) {
    const dueMs = Date.now() + 1_000;
    const lines = new Map();
    for (let n = 0; n < rate; n++) {
      const of = n % 5 === 0 ? Math.floor(Math.random() * (second + 1)) : second;
      const user = `user-${n % users}`;
      lines.set(user, [...(lines.get(user) ?? []), sampleOf(of, n, of === second ? n : second)]);
      sent++;
    }
    const payloads = [...lines].map(([userId, samples]) => JSON.stringify({ deviceId: "phone", userId, samples }));
    const answer = await fetch(`${lake.endpoints.ingest}/v1/ingest/health`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: payloads.join("\n"),
    });
    if (answer.status !== 202) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`);
    await sleep(Math.max(0, dueMs - Date.now()));
  }
}

function sampleOf(second, n, value) {
  const [type, unit] = Object.entries(types)[n % 2];
  const days = n % 5 < 2 ? (second + n) % daysBack : 0;
  const at = new Date(lastDayMs - days * dayMs - ((second * 7_919 + n * 104_729) % dayMs)).toISOString();
  return { id: `${second}-${n}`, type, unit, value: 60 + (value % 100), startDate: at, endDate: at };
}

async function look() {
  const found = await tables();
  checkBounds(found);
  return { tables: found, questionMs: await questionMs() };
}

/** Metadata as the catalog has it; the snapshot's summary says how many files and manifests there are. */
async function tables() {
  const namespace = `${lake.endpoints.catalog}/v1/namespaces/health_db/tables`;
  const { identifiers } = await (await fetch(namespace)).json();
  return Promise.all(
    identifiers.map(async ({ name }) => shapeOf(name, await (await fetch(`${namespace}/${name}`)).text())),
  );
}

function shapeOf(table, text) {
  // Snapshot ids are beyond what a number holds: compared as texts.
  const { metadata } = JSON.parse(text.replaceAll(/("[\w-]*snapshot-id"\s*:\s*)(\d+)/g, '$1"$2"'));
  const snapshot = metadata.snapshots.find((one) => one["snapshot-id"] === metadata["current-snapshot-id"]);
  const total = (name) => Number(snapshot?.summary[name] ?? 0);
  return {
    table,
    dataFiles: total("total-data-files"),
    deleteFiles: total("total-delete-files"),
    manifests: total("manifests-created") + total("manifests-kept"),
    metadataBytes: text.length,
    snapshots: metadata.snapshots.length,
  };
}

function checkBounds(shapes) {
  for (const { table, dataFiles, deleteFiles, manifests, metadataBytes } of shapes) {
    const partitions = table === "health_data_raw" ? (daysBack + 2) * 2 : aggregatePartitions;
    const bounds = [
      ["data files", dataFiles, 8 * partitions + 64],
      ["delete files", deleteFiles, dataFiles + 64],
      ["manifests", manifests, 150],
      ["bytes of metadata", metadataBytes, 8 * 1024 ** 2],
    ];
    for (const [what, found, most] of bounds)
      if (found > most) problems.push(`${table}: ${found} ${what}, at most ${most}`);
  }
}

function checkCounts({ received, ...outcomes }) {
  const sum = Object.values(outcomes).reduce((all, count) => all + count, 0);
  if (received !== sent || sum !== sent) problems.push(`${sent} sent, ${received} received, ${sum} by outcome`);
}

/** Lower quartile of the times of a user's days, each time another user: no answer comes from a cache. */
async function questionMs() {
  const times = [];
  for (let n = 0; n < questions; n++) {
    const asked = new URLSearchParams({ user_id: `user-${n}`, data_type: "heartRate", last: "10" });
    const started = performance.now();
    const answer = await fetch(`${lake.endpoints.query}/api/health/daily?${asked}`);
    if (!answer.ok) throw new Error(`the question was answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    times.push(performance.now() - started);
  }
  return Math.round(times.sort((one, other) => one - other)[Math.floor(times.length / 4)] * 10) / 10;
}

function report(found) {
  if (options.json) return console.log(JSON.stringify(found));
  for (const when of ["start", "end"]) {
    console.log(`${when}: a user's days in ${found[when].questionMs} ms`);
    console.table(Object.fromEntries(found[when].tables.map(({ table, ...shape }) => [table, shape])));
  }
  console.log("counts:", found.counts);
  for (const problem of found.problems) console.log(`✗ ${problem}`);
  console.log(found.problems.length === 0 ? "within the bounds" : "beyond the bounds");
}
