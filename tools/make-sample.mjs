// Makes samples/health from the Fitbit set: every row of the source, gzipped, byte for byte the same after unpacking.
// Usage: node tools/make-sample.mjs SOURCE_FOLDER
// bad-records.ndjson and README.md in the same folder are written by hand and stay as they are.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, constants } from "node:zlib";
import { helpIfAsked } from "./script-options.mjs";

const SOURCES = [
  { file: "hourlySteps.csv", header: "Id,ActivityDay,ActivityHour,StepTotal", rows: 22_099 },
  { file: "hourlyCalories.csv", header: "Id,Activity Day,ActivityHour,Calories", rows: 22_099 },
  { file: "heartrateSeconds.csv", header: "Id,Time,Value", rows: 26_084 },
  { file: "sleepDay.csv", header: "Id,SleepDay,TotalSleepRecords,TotalMinutesAsleep,TotalTimeInBed", rows: 413 },
  { file: "weightLogInfo.csv", header: "Id,Date,WeightKg,WeightPounds,Fat,BMI,IsManualReport,LogId", rows: 67 },
];

helpIfAsked();
const [source] = process.argv.slice(2);
if (source === undefined) {
  process.stderr.write("usage: node tools/make-sample.mjs SOURCE_FOLDER\n");
  process.exit(2);
}

const target = join(import.meta.dirname, "..", "samples", "health");
mkdirSync(target, { recursive: true });
const sums = [];
for (const { file, header, rows } of SOURCES) {
  const bytes = readFileSync(join(source, file));
  const lines = bytes.toString("utf8").split("\n").filter(Boolean);
  if (lines[0] !== header) throw new Error(`${file}: the header is "${lines[0]}", expected "${header}"`);
  if (lines.length - 1 !== rows) throw new Error(`${file}: ${lines.length - 1} rows, expected ${rows}`);
  writeFileSync(join(target, `${file}.gz`), gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
  sums.push(`${createHash("sha256").update(bytes).digest("hex")}  ${file}`);
  process.stdout.write(`${file}: ${rows} rows\n`);
}
writeFileSync(join(target, "SHA256SUMS"), `${sums.join("\n")}\n`);
