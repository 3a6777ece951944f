/**
 * What taking up rows of another engine costs: all rows of a table at once, of 2 and 4 million.
 *
 *   node tools/run-ts.mjs bench/take-up.ts [--rows 2000000,4000000] [--rows-per-day 100000] [--memory-mb 288]
 *
 * The writer's own table in process, on local files and the in-memory catalog. libs/lake commits health samples as
 * another engine does, a million a commit; what is timed is judging them, the commit, and bringing the key index along.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { openRecordsTable } from "./load/records-table.ts";

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "2000000,4000000" },
    "rows-per-day": { type: "string", default: "100000" },
    "memory-mb": { type: "string", default: "288" },
  },
});

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`);
for (const rows of options.rows.split(",").map(Number)) {
  const rowsPerDay = Number(options["rows-per-day"]);
  const memoryLimitMb = Number(options["memory-mb"]);
  const table = await openRecordsTable({ rows, rowsPerDay, memoryLimitMb, areForeign: true });
  const { stored } = table.counts();
  if (stored !== rows) throw new Error(`${stored} rows were taken up`);
  const { wallMs, cpuMs, peakMiB } = table.rebuild;
  console.log(
    `${rows.toLocaleString("en")} rows taken up in ${(wallMs / 1000).toFixed(1)} s, CPU ${(cpuMs / 1000).toFixed(1)} s ` +
      `(${((cpuMs * 1000) / rows).toFixed(1)} µs a row), ${peakMiB.toFixed(0)} MiB at most`,
  );
  await table.close();
}
