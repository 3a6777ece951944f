// Steady ingest with late data and corrections into a running lake, and whether its tables stay small by it.
//
//   node e2e/soak.mjs [--minutes N] [--rate SAMPLES_A_SECOND] [--folder DIR] [--json]
//
// Prints each table's files, manifests and bytes of metadata and what a question costs after the first half of a minute and
// at the end, both while samples come. Exit 0 when every look was within the bounds (8 data files a partition of raw and 64
// more, for other tables 64 and 8 for each bucket of a month; delete files at most data files + 64; 150 manifests; 8 MiB
// of metadata), a question's CPU at the end within twice that at the start, and the counts add up. With --folder the lake
// is kept, and the next run with the same folder goes on where it ended and compares with the first run's start.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { settled, startLake } from "../bench/load/lake.mjs";
import { scriptOptions } from "../tools/script-options.mjs";

const options = scriptOptions({
  minutes: { type: "string", default: "10" },
  rate: { type: "string", default: "500" },
  folder: { type: "string" },
  json: { type: "boolean", default: false },
});
const [minutes, rate] = [options.minutes, options.rate].map(Number);
const users = 200;
const daysBack = 10;
const dayMs = 86_400_000;
const types = { heartRate: "count/min", stepCount: "count" };
const warmUpMs = Math.min(30_000, minutes * 15_000);
const lookEveryMs = 15_000;
/** The last look begins so long before the samples end. */
const lastLookMs = Math.min(20_000, minutes * 15_000);
const questions = 60;
/** Buckets of users times the months, or years, of the aggregates. */
const aggregatePartitions = 8 * 2;
const lastDayMs = Date.UTC(2026, 5, 20);

const lake = await startLake({ name: "soak", folder: options.folder });
const problems = [];
const stateFile = options.folder && join(options.folder, "soak.json");
const before = stateFile && existsSync(stateFile) ? JSON.parse(readFileSync(stateFile, "utf8")) : undefined;
let sent = before?.sent ?? 0;
let second = before?.second ?? 0;
try {
  const started = Date.now();
  const endMs = started + minutes * 60_000;
  const sending = send(endMs);
  await sleep(warmUpMs);
  const start = before?.start ?? (await look());
  while (Date.now() < endMs - lastLookMs) {
    await sleep(Math.min(lookEveryMs, Math.max(0, endMs - lastLookMs - Date.now())));
    checkBounds(await tables());
  }
  const end = await look();
  await sending;
  const { datasets } = await settled(lake.endpoints);
  checkCounts(datasets.health);
  if (end.question.cpuMs > 2 * Math.max(start.question.cpuMs, 1))
    problems.push("a question costs more than twice as much");
  report({ seconds: second, start, end, counts: datasets.health, problems });
  if (stateFile) writeFileSync(stateFile, JSON.stringify({ start, sent, second }));
} finally {
  await lake.stop();
}
process.exitCode = problems.length === 0 ? 0 : 1;

/** Each second some samples of the newest day; a fifth comes late, a fifth corrects earlier ones. */
async function send(endMs) {
  for (; Date.now() < endMs; second++) {
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
  await ask(100);
  return { tables: found, question: await ask(0) };
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

/**
 * The days of one user after the other, from the given one on: no answer comes from a cache. Median of the times, which
 * hang on what else the machine does, and CPU of the query service by question, which do not.
 */
async function ask(firstUser) {
  const times = [];
  const cpuBefore = await cpuSecondsOfQuery();
  for (let n = firstUser; n < firstUser + questions; n++) {
    const asked = new URLSearchParams({ user_id: `user-${n}`, data_type: "heartRate", last: "10" });
    const started = performance.now();
    const answer = await fetch(`${lake.endpoints.query}/api/health/daily?${asked}`);
    if (!answer.ok) throw new Error(`the question was answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
    times.push(performance.now() - started);
  }
  const cpuMs = (1000 * ((await cpuSecondsOfQuery()) - cpuBefore)) / questions;
  const medianMs = times.sort((one, other) => one - other)[times.length >> 1];
  return { cpuMs: Math.round(cpuMs * 10) / 10, medianMs: Math.round(medianMs * 10) / 10 };
}

async function cpuSecondsOfQuery() {
  const metrics = await (await fetch(`${lake.endpoints.query}/metrics`)).text();
  return Number(/^process_cpu_seconds_total(?:\{[^}]*\})? (\S+)/m.exec(metrics)?.[1]);
}

function report(found) {
  console.error(`${found.seconds} seconds of samples so far`);
  if (options.json) return console.log(JSON.stringify(found));
  for (const when of ["start", "end"]) {
    const { cpuMs, medianMs } = found[when].question;
    console.log(`${when}: a user's days for ${cpuMs} ms of CPU, in ${medianMs} ms`);
    console.table(Object.fromEntries(found[when].tables.map(({ table, ...shape }) => [table, shape])));
  }
  console.log("counts:", found.counts);
  for (const problem of found.problems) console.log(`✗ ${problem}`);
  console.log(found.problems.length === 0 ? "within the bounds" : "beyond the bounds");
}
