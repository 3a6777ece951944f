// The engines that interoperability scripts take from PyPI and npm, pinned, in .venv: PyIceberg, DuckDB with the
// extensions for Iceberg, pandas, chDB. Installed once; a minute or two.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "./bootstrap.mjs";

const venv = join(import.meta.dirname, "..", ".venv");
const python = join(venv, "bin", "python");
const chdbFolder = join(venv, "chdb");
const stepLimitMs = 10 * 60_000;

const pythonPackages = [
  "pyiceberg[sql-sqlite,pyarrow,pyiceberg-core]==0.12.0",
  "pytz==2026.6",
  "pandas==2.3.3",
  "numpy==2.3.4",
  "duckdb==1.5.5",
  "duckdb-extension-iceberg==1.5.5",
  "duckdb-extension-avro==1.5.5",
  "duckdb-extension-httpfs==1.5.5",
];
const chdbPackage = "chdb@3.4.0";

/** @returns {python, chdbFolder}: an interpreter that has them, and the folder that chDB is required from */
export function installReaders() {
  const complete = join(venv, ".complete");
  const wanted = JSON.stringify([...pythonPackages, chdbPackage]);
  if (existsSync(complete) && readFileSync(complete, "utf8") === wanted) return { python, chdbFolder };
  say("installing PyIceberg, DuckDB and chDB into .venv (a minute or two, once)");
  run("python3", ["-m", "venv", venv]);
  run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...pythonPackages]);
  mkdirSync(chdbFolder, { recursive: true });
  run("npm", ["install", "--prefix", chdbFolder, "--no-save", "--silent", chdbPackage]);
  writeFileSync(complete, wanted);
  return { python, chdbFolder };
}

function run(command, args) {
  const child = spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], timeout: stepLimitMs });
  if (child.status !== 0)
    throw new Error(`${command} ${args[0]} ended with ${child.error?.message ?? child.status ?? child.signal}`);
}
