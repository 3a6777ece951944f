// `firn migrate` of price rows from a real PostgreSQL into the lake's table: rows a second and memory, which must stay flat.
//
//   node bench/migrate.mjs [--rows 5000000] [--batch-size 100000]
//
// Starts a lake with its own PostgreSQL, fills a table of prices there (the key is meta_id, trade_date: every page has all
// years of some securities), migrates it, and compares both once more with --verify-only. Prints the machine, the
// commit, seconds, CPU of every process, and its most anonymous memory in each fifth of the run. The reference is the
// same rows from PostgreSQL by COPY into a CSV file and from there by DuckDB into sorted Parquet by month. Asserts nothing
// about time; ends with 1 where a row is missing.
import { execFileSync, spawn } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import pg from "pg";
import { startLake } from "./load/lake.mjs";
import { cpuSeconds, memoryMiB } from "./load/processes.mjs";
import { scriptOptions } from "../tools/script-options.mjs";

const options = scriptOptions({
  rows: { type: "string", default: "5000000" },
  "batch-size": { type: "string", default: "100000" },
});
/** Weekdays of 33 years. */
const days = 8_610;
const rows = Number(options.rows);
const firn = join(import.meta.dirname, "..", "firn.mjs");
const fifths = 5;
const table = "us_stocks_price";

const lake = await startLake({ name: "bench-migrate", env: { FIRN_MARKET_SCHEDULE: "off" } });
let isRight = false;
try {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  console.log(`${cpus()[0]?.model} × ${cpus().length}, node ${process.version}, commit ${commit}`);
  const database = new pg.Client(lake.endpoints.database);
  await database.connect();
  console.log(`${rows} rows in PostgreSQL after ${(await timed(() => fill(database))).toFixed(1)} s`);
  const migrated = await firnWatched("migrate", "--table", table, "--batch-size", options["batch-size"]);
  const [{ missing, different, source_rows: found }] = migrated.report.tables;
  isRight = migrated.code === 0 && missing === 0 && different === 0 && found === rows;
  console.log(`migrated and compared: ${rateOf(migrated.seconds)}; ${missing} missing, ${different} different`);
  const all = migrated.processes.reduce((sum, { cpu }) => sum + cpu, 0);
  console.log(
    `  ${all.toFixed(1)} s of CPU in all, ${Math.round(rows / all)} rows a second of it, PostgreSQL's apart:`,
  );
  for (const { name, cpu, memory } of migrated.processes)
    console.log(`  ${name.padEnd(16)} ${cpu.toFixed(1).padStart(6)} s of CPU, MiB in each fifth: ${memory.join(", ")}`);
  const verified = await firnWatched("migrate", "--table", table, "--verify-only");
  isRight &&= verified.code === 0;
  console.log(`--verify-only: ${rateOf(verified.seconds)}`);
  await reference(database);
  await database.end();
} finally {
  await lake.stop();
}
process.exit(isRight ? 0 : 1);

function rateOf(seconds) {
  return `${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows a second`;
}

async function timed(work) {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}

async function fill(database) {
  await database.query(`CREATE TABLE ${table} (meta_id int, trade_date date, close float8, adj_close float8,
    volume bigint, updated_at timestamp, PRIMARY KEY (meta_id, trade_date))`);
  await database.query(`INSERT INTO ${table}
    SELECT 1 + i / ${days}, d, p, p * 0.9, i % 1000000, timestamp '2026-01-01'
    FROM (SELECT i, DATE '1990-01-01' + (i % ${days} / 5 * 7 + i % ${days} % 5) AS d,
      50 + hashint4(i) % 1000 / 100.0 AS p FROM generate_series(0, ${rows - 1}) AS i) AS s`);
}

/** Runs the command to its end, and looks at its memory and at the services' meanwhile. */
async function firnWatched(...args) {
  const startMs = performance.now();
  const child = spawn(process.execPath, [firn, ...args, "--json", "--data-dir", lake.dir], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const pids = { "firn migrate": child.pid, ...lake.endpoints.pids };
  const before = Object.values(pids).map(cpuSeconds);
  const looks = [];
  const timer = setInterval(() => {
    const cpu = Object.values(pids).map(cpuSeconds);
    looks.push({ memory: Object.values(pids).map((pid) => memoryMiB(pid).anonymous), cpu });
  }, 250);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  const code = await new Promise((resolve) => child.once("exit", resolve));
  clearInterval(timer);
  const processes = Object.keys(pids).map((name, at) => ({
    name,
    cpu: Math.max(...looks.map(({ cpu }) => cpu[at])) - (name === "firn migrate" ? 0 : before[at]),
    memory: Array.from({ length: fifths }, (_, fifth) => {
      const some = looks.slice((looks.length * fifth) / fifths, (looks.length * (fifth + 1)) / fifths);
      return Math.round(Math.max(...some.map(({ memory }) => memory[at])));
    }),
  }));
  return { code, report: JSON.parse(output), seconds: (performance.now() - startMs) / 1000, processes };
}

async function reference(database) {
  const csv = join(lake.dir, "postgres", "reference.csv");
  const before = process.cpuUsage();
  const seconds = await timed(async () => {
    await database.query(`COPY ${table} TO '${csv}' (FORMAT csv, HEADER)`);
    const duck = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
    await duck.run(`COPY (SELECT *, strftime(trade_date, '%Y-%m') AS month
      FROM (SELECT *, adj_close / lag(adj_close) OVER (PARTITION BY meta_id ORDER BY trade_date) - 1 AS gross_return
        FROM read_csv('${csv}')) ORDER BY month, meta_id, trade_date)
      TO '${join(lake.dir, "reference")}' (FORMAT parquet, PARTITION_BY (month))`);
  });
  const { user, system } = process.cpuUsage(before);
  const cpu = `${((user + system) / 1e6).toFixed(1)} s of CPU, PostgreSQL's apart`;
  console.log(`COPY, then DuckDB into Parquet by month: ${rateOf(seconds)}; ${cpu}`);
}
