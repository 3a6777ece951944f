// `npm run test:interop`: engines that are not ours agree with the lake. Starts one with the shipped sample, corrects
// and deletes some of it, reads every table with the query service, PyIceberg and DuckDB's iceberg extension (REST
// catalog) and chDB (files), recomputes every aggregate with SQL in DuckDB, lets these engines write and read feature by
// feature (the part of `npm run test:matrix` that needs no JVM), and PyIceberg write into raw; then real prices go through
// import and backtests, which pandas computes too. Needs Python 3 with venv; packages go into .venv. The last line is
// `N passed, N failed`.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { settled, startLake } from "../bench/load/lake.mjs";
import { changes, newSamples } from "../e2e/interop/changes.mjs";
import { figures } from "../e2e/interop/figures.mjs";
import { backtests, joined, mirrored, savePortfolio } from "../e2e/interop/market.mjs";
import { matrix } from "../e2e/interop/matrix.mjs";
import { differsFromDocs } from "../e2e/matrix/docs.mjs";
import { printMatrix } from "../e2e/matrix/print.mjs";
import { runMatrix } from "../e2e/matrix/run.mjs";
import { appNames, bootstrap } from "./bootstrap.mjs";
import { installReaders } from "./interop-packages.mjs";
import { ask } from "../e2e/interop/ask.mjs";
import { helpIfAsked } from "./script-options.mjs";

const root = join(import.meta.dirname, "..");
const scripts = join(root, "e2e", "interop");
const namespace = "health_db";
const outputBytesMax = 64 * 1024 ** 2;
const stepLimitMs = 10 * 60_000;

/** Merging would work the position deletes in before the readers see them. */
const noMaintenance = { FIRN_MAINTENANCE_INTERVAL_MS: "86400000" };

let passed = 0;
let failed = 0;

/** The lake that all steps ask, and the engines that are not ours. */
let lake;
let packages;

helpIfAsked();
bootstrap(appNames());
await step("Setting up", setUp);
if (lake) {
  try {
    await step("Loading the shipped sample, then corrections and deletions", load);
    await step("Every reader on every table, with position deletes", read);
    await step("Every aggregate against SQL over raw, by DuckDB", recompute);
    await step("Every writer, every reader, feature by feature", cross);
    await step("PyIceberg and DuckDB as writers through the catalog", write);
    await step("Rows that PyIceberg adds to raw and deletes, on the running lake", takeUp);
    await step("Real prices through import and backtests, against pandas", market);
    await step("The join of the market lake's documents, by DuckDB and PyIceberg", joinDocuments);
  } finally {
    await lake.stop();
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

/** A step that breaks is one failure; the steps after it still run. */
async function step(name, run) {
  console.log(`\n${name}`);
  const startMs = Date.now();
  try {
    await run();
  } catch (error) {
    check(name, false, error.message);
  }
  console.log(`  (${((Date.now() - startMs) / 1000).toFixed(1)} s)`);
}

function check(name, ok, detail) {
  if (ok) passed++;
  else failed++;
  console.log(`  ${ok ? "✓" : "✗"} ${name}${ok ? "" : `: ${detail}`}`);
}

/** Counts a check that the matrix shows; says something only when it fails. */
function count({ name, ok, detail }) {
  if (ok) passed++;
  else check(name, ok, detail);
}

async function setUp() {
  packages = installReaders();
  lake = await startLake({ env: noMaintenance });
}

async function load() {
  const samples = join(root, "samples", "health");
  const files = readdirSync(samples).filter((name) => /\.(csv\.gz|ndjson)$/.test(name));
  const replay = ["replay", "--json", "--data-dir", lake.dir, ...files.map((name) => join(samples, name))];
  runToEnd(process.execPath, [join(root, "firn.mjs"), ...replay]);
  let counts = (await settled(lake.endpoints)).datasets.health;
  for (const [what, { body, adds }] of Object.entries({ samples: newSamples(), changes: changes() })) {
    const before = counts;
    await ingest(body);
    counts = (await settled(lake.endpoints)).datasets.health;
    for (const [name, number] of Object.entries(adds))
      check(
        `${what}: ${number} more ${name}`,
        counts[name] - before[name] === number,
        `${counts[name] - before[name]}`,
      );
  }
}

async function ingest(body) {
  const url = `${lake.endpoints.ingest}/v1/ingest/health`;
  const answer = await ask(url, { method: "POST", headers: { "content-type": "application/x-ndjson" }, body });
  if (answer.status !== 202) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`);
}

async function read() {
  const { catalog, query } = lake.endpoints;
  const { datasets } = await settled(lake.endpoints);
  const tables = Object.fromEntries(
    await Promise.all(Object.keys(figures).map(async (name) => [name, await locate(name)])),
  );
  const found = answerOf(packages.python, ["readers.py"], { catalog, query, namespace, figures });
  const chDB = answerOf(process.execPath, ["chdb-reader.mjs", packages.chdbFolder], {
    warehouse: join(lake.dir, "warehouse"),
    figures,
    tables,
  });
  const { lines, checks } = matrix({ ...found.readers, chDB });
  for (const line of lines) console.log(`  ${line}`);
  checks.forEach(count);
  for (const [name, rows] of Object.entries(found.differences))
    check(`${name} and DuckDB have the same rows, all columns`, rows === 0, `${rows} rows differ`);
  const { stored, deleted, rejected } = datasets.health;
  const rowsOf = (table) => found.readers.DuckDB[table].rows;
  check("raw holds every stored sample", rowsOf("health_data_raw") === stored - deleted, `${stored} - ${deleted}`);
  check("errors holds every rejected record", rowsOf("health_data_errors") === rejected, `${rejected}`);
  for (const name of Object.keys(figures)) check(`${name} has rows`, rowsOf(name) > 0, "it is empty");
  const deletes = found.delete_files.health_data_raw;
  check(
    `raw was read with position deletes (delete files that apply: ${deletes})`,
    deletes > 0,
    "no delete file applies",
  );
}

/** Where a table lies, and its current metadata file below that folder, by the catalog. */
async function locate(name) {
  const answer = await ask(`${lake.endpoints.catalog}/v1/namespaces/${namespace}/tables/${name}`);
  const location = /"metadata-location"\s*:\s*"([^"]+)"/.exec(await answer.text())[1];
  const file = decodeURIComponent(new URL(location).pathname);
  const directory = file.slice(0, file.lastIndexOf("/metadata/"));
  return { directory, metadata: file.slice(directory.length + 1) };
}

function recompute() {
  const found = answerOf(packages.python, ["rollups.py", lake.endpoints.catalog, namespace]);
  for (const [table, { rows, columns }] of Object.entries(found)) {
    const wrong = Object.entries(columns).filter(([, differing]) => differing > 0);
    const names = Object.keys(columns).slice(1);
    console.log(`  ${table}: ${rows} rows, ${names.length} columns (${names.join(", ")})`);
    for (const name of Object.keys(columns))
      count({ name: `${table}: ${name}`, ok: columns[name] === 0, detail: `${columns[name]} rows differ` });
    check(`${table} equals GROUP BY over raw`, rows > 0 && wrong.length === 0, "see above");
  }
}

/** The script ends at its first failure and prints `ok NAME …` or `FAILED NAME` a step. */
function write() {
  const env = { ...process.env, CATALOG_URI: lake.endpoints.catalog };
  const run = spawnSync(packages.python, [join(scripts, "catalog_smoke.py")], {
    encoding: "utf8",
    env,
    timeout: stepLimitMs,
  });
  for (const [, outcome, name] of run.stdout.matchAll(/^(ok|FAILED)\s+(\w+)/gm))
    check(name.replaceAll("_", " "), outcome === "ok", run.stderr.slice(-2_000));
  check("the writers ran to their end", run.status === 0, run.stderr.slice(-2_000));
}

/** Those of the matrix that need no JVM; `npm run test:matrix` runs all. */
async function cross() {
  const cells = await runMatrix({
    catalogUri: lake.endpoints.catalog,
    warehouse: join(lake.dir, "warehouse"),
    packages,
    heavy: false,
  });
  printMatrix(cells);
  for (const { writer, reader, feature, state, detail } of cells)
    count({ name: `${feature}, ${writer} → ${reader ?? "(writing)"}`, ok: state !== "failed", detail });
  const changed = differsFromDocs(cells);
  check("docs/interop.md has these cells", changed.length === 0, changed.join("; "));
}

async function takeUp() {
  const { catalog, query } = lake.endpoints;
  const user = "Ørjan 🏔";
  const added = "by-pyiceberg";
  const before = (await settled(lake.endpoints)).datasets.health;
  const changed = answerOf(packages.python, ["foreign_rows.py"], { catalog, namespace, user, added });
  const after = (await settled(lake.endpoints)).datasets.health;
  // A delete may come before the writer has looked: two of one identity in one commit are an arrival and a correction.
  const more = { received: 4, stored: 1, corrected: 2, deleted: 1, duplicates: 0, rejected: 0 };
  for (const [name, number] of Object.entries(more))
    check(`${number} more ${name}`, after[name] - before[name] === number, `${after[name] - before[name]}`);
  const rows = await allOf(`${query}/api/health/raw?${new URLSearchParams({ user_id: user, limit: "10000" })}`);
  const valuesOf = (id) => rows.filter((row) => row.sample_id === id).map((row) => row.value);
  const expected = { [changed.corrected]: [changed.value], [changed.deleted]: [], [added]: [71] };
  for (const [id, values] of Object.entries(expected))
    check(`raw has ${id} as it was left`, `${valuesOf(id)}` === `${values}`, `${valuesOf(id)}`);
  const day = { user_id: user, data_type: "heartRate", start_date: "2026-03-06", end_date: "2026-03-06" };
  const days = await allOf(`${query}/api/health/daily?${new URLSearchParams(day)}`);
  check("the day in its own zone has the new sample", days[0]?.sum_value === 71, JSON.stringify(days));
}

async function allOf(url) {
  const answer = await ask(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()).data;
}

async function market() {
  const prices = join(root, "samples", "market", "us-prices.csv.gz");
  const command = ["import", "prices", prices, "--market", "us", "--json", "--data-dir", lake.dir];
  runToEnd(process.execPath, [join(root, "firn.mjs"), ...command]);
  await settled(lake.endpoints);
  const outcomes = answerOf(packages.python, ["backtest_reference.py", prices], await backtests(lake.endpoints.query));
  for (const { name, ok, detail } of outcomes) check(`${name} (${detail})`, ok, "further off than 1e-9");
  check("every backtest was compared", outcomes.length === 24, `${outcomes.length}`);
}

async function joinDocuments() {
  const portfolio = await savePortfolio(lake.endpoints.query);
  await mirrored(lake.endpoints.query, portfolio.port_id);
  const { catalog } = lake.endpoints;
  const since = "2022-10-01";
  const found = answerOf(packages.python, ["market_join.py"], { catalog, port_id: portfolio.port_id, since });
  const expected = joined(portfolio, since);
  for (const [engine, { columns, ...figures }] of Object.entries(found)) {
    const near = (name) => Math.abs(figures[name] - expected[name]) <= 1e-9 * expected[name];
    const ok = figures.rows === expected.rows && figures.tickers === 5 && near("weight") && near("nav");
    check(`${engine}: ${figures.rows} rows of ${columns.join(", ")}`, ok, JSON.stringify({ figures, expected }));
  }
}

/** What a script of e2e/interop prints, given `input` as JSON. */
function answerOf(command, [script, ...args], input = {}) {
  const run = spawnSync(command, [join(scripts, script), ...args], {
    input: JSON.stringify(input),
    encoding: "utf8",
    maxBuffer: outputBytesMax,
    timeout: stepLimitMs,
  });
  if (run.status !== 0)
    throw new Error(`${script} ended with ${run.status ?? run.signal}: ${run.stderr.slice(-2_000)}`);
  return JSON.parse(run.stdout);
}

function runToEnd(command, args) {
  const run = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], timeout: stepLimitMs });
  if (run.status !== 0)
    throw new Error(`${command} ${args[0]} ended with ${run.error?.message ?? run.status ?? run.signal}`);
}
