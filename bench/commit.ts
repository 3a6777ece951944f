/**
 * The cost of a commit follows the batch, not the table: 100,000 samples (with duplicates and corrections) into tables
 * of 1 and 20 million rows.
 *
 *   node tools/run-ts.mjs bench/commit.ts [--rows 1000000,20000000] [--batch 100000] [--rounds 12] [--rows-per-day 100000]
 *
 * The writer's own table in process, on local files and the in-memory catalog, without broker and HTTP: what is timed
 * is judging the batch, staging files, the commit and the key index. The table is made by libs/lake, and the index
 * rebuilt from it, which is timed too. The table grows in days, as lakes do; the batch is of the last two days, its
 * duplicates and corrections are of rows that the table holds.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { measureCommits } from "./load/measured-commits.ts";

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000,20000000" },
    batch: { type: "string", default: "100000" },
    rounds: { type: "string", default: "12" },
    "rows-per-day": { type: "string", default: "100000" },
    "memory-mb": { type: "string", default: "224" },
  },
});

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, batches of ${options.batch} samples`);
for (const rows of options.rows.split(",").map(Number))
  await measureCommits({
    rows,
    batchRows: Number(options.batch),
    rounds: Number(options.rounds),
    rowsPerDay: Number(options["rows-per-day"]),
    memoryLimitMb: Number(options["memory-mb"]),
  });
