// `npm run test:interop`: readers that are not ours agree on every table. Starts a lake with the shipped sample and
// reads it with PyIceberg and DuckDB's iceberg extension (REST catalog) and with chDB (files), then runs PyIceberg and
// DuckDB as writers against the catalog. Needs Python 3 with venv; packages go into .venv. The last line counts.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { settled, startLake } from "../bench/load/lake.mjs";
import { appNames, bootstrap, say } from "./bootstrap.mjs";

const root = join(import.meta.dirname, "..");
const venv = join(root, ".venv");
const python = join(venv, "bin", "python");
const chdbFolder = join(venv, "chdb");
const packages = [
  "pyiceberg[sql-sqlite,pyarrow,pyiceberg-core]==0.12.0",
  "pytz",
  "duckdb==1.5.5",
  "duckdb-extension-iceberg==1.5.5",
  "duckdb-extension-avro==1.5.5",
  "duckdb-extension-httpfs==1.5.5",
];
const sums = {
  health_data_raw: ["value"],
  health_data_errors: ["kafka_offset"],
  health_data_daily_agg: ["sum_value", "record_count", "first_value"],
  health_data_weekly_agg: ["sum_value", "record_count", "day_count"],
  health_data_monthly_agg: ["sum_value", "record_count", "daily_avg_of_avg"],
};
const tolerance = 1e-9;
let passed = 0;
let failed = 0;

bootstrap(appNames());
install();
const lake = await startLake({ sample: true });
try {
  const pipeline = await settled(lake.endpoints);
  await readers(pipeline);
  writers();
} finally {
  await lake.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function install() {
  if (!existsSync(join(venv, ".complete"))) {
    say("installing PyIceberg, DuckDB and chDB into .venv (a minute or two, once)");
    execFileSync("python3", ["-m", "venv", venv], { stdio: "inherit" });
    execFileSync(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages], {
      stdio: "inherit",
    });
    mkdirSync(chdbFolder, { recursive: true });
    execFileSync("npm", ["install", "--prefix", chdbFolder, "--no-save", "--silent", "chdb@3.4.0"], {
      stdio: "inherit",
    });
    execFileSync(process.execPath, [
      "-e",
      `require("fs").writeFileSync(${JSON.stringify(join(venv, ".complete"))}, "")`,
    ]);
  }
}

function check(name, ok, detail) {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? "✓" : "✗"} ${name}${ok ? "" : `: ${detail}`}`);
}

async function readers(pipeline) {
  const { catalog } = lake.endpoints;
  const results = JSON.parse(
    execFileSync(python, [join(root, "e2e", "interop", "readers.py"), catalog], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 ** 2,
    }),
  );
  results.chDB = await withChdb(catalog);
  const [first, ...others] = Object.keys(results);
  const counts = pipeline.datasets.health;
  check(
    "raw holds every stored sample",
    results[first].health_data_raw.rows === counts.stored - counts.deleted,
    JSON.stringify(counts),
  );
  check(
    "errors holds every rejected record",
    results[first].health_data_errors.rows === counts.rejected,
    JSON.stringify(counts),
  );
  for (const table of Object.keys(sums)) {
    console.log(`  ${table}: ${JSON.stringify(results[first][table])}`);
    check(`${table} has rows`, results[first][table].rows > 0, "it is empty");
    for (const other of others) {
      const differences = Object.entries(results[first][table]).filter(
        ([figure, value]) => Math.abs(value - results[other][table][figure]) > tolerance * Math.max(1, Math.abs(value)),
      );
      check(`${table}: ${other} agrees with ${first}`, differences.length === 0, JSON.stringify(results[other][table]));
    }
  }
}

async function withChdb(catalog) {
  const tables = [];
  for (const [name, columns] of Object.entries(sums)) {
    const answer = await fetch(`${catalog}/v1/namespaces/health_db/tables/${name}`);
    const location = /"metadata-location"\s*:\s*"([^"]+)"/.exec(await answer.text())[1];
    const metadata = decodeURIComponent(new URL(location).pathname);
    const directory = metadata.slice(0, metadata.lastIndexOf("/metadata/"));
    const warehouse = join(directory, "..", "..");
    tables.push({ name, directory, warehouse, metadata: metadata.slice(directory.length + 1), sums: columns });
  }
  const script = join(root, "e2e", "interop", "chdb-reader.mjs");
  return JSON.parse(
    execFileSync(process.execPath, [script, chdbFolder], { input: JSON.stringify(tables), encoding: "utf8" }),
  );
}

/** Foreign engines create, append, change and read tables through our catalog. */
function writers() {
  const script = join(root, "e2e", "interop", "catalog_smoke.py");
  const run = spawnSync(python, [script], {
    encoding: "utf8",
    env: { ...process.env, CATALOG_URI: lake.endpoints.catalog },
  });
  process.stdout.write(run.stdout);
  check("PyIceberg and DuckDB write through the catalog", run.status === 0, run.stderr.slice(-2000));
}
