/** Commits of one size into a table of records of a given size, and the rebuild of its key index; prints both. */
import { type Cost, costOf, medianCost } from "./cost.ts";
import { openRecordsTable, type RecordsTableOptions } from "./records-table.ts";

export interface CommitMeasure extends RecordsTableOptions {
  readonly batchRows: number;
  readonly rounds: number;
}

export async function measureCommits({ batchRows, rounds, ...options }: CommitMeasure): Promise<Cost> {
  const { rows, rowsPerDay } = options;
  const table = await openRecordsTable(options);
  try {
    const count = (number: number) => number.toLocaleString("en");
    const { fill, rebuild } = table;
    console.log(
      `table of ${count(rows)} rows: made in ${(fill.wallMs / 1000).toFixed(0)} s, CPU ${(fill.cpuMs / 1000).toFixed(0)} s; key index rebuilt in ` +
        `${(rebuild.wallMs / 1000).toFixed(1)} s, CPU ${(rebuild.cpuMs / 1000).toFixed(1)} s ` +
        `(${count(Math.round(rows / (rebuild.cpuMs / 1000)))} rows a CPU second), ${rebuild.peakMiB.toFixed(0)} MiB at most`,
    );
    const runs: Cost[] = [];
    let mergingMs = 0;
    const fresh = Math.round(batchRows * 0.88);
    for (let round = 0, next = rows; round < rounds; round++, next += fresh) {
      // Of the rest five in six are duplicates, one in six is a correction, all of the last two days.
      const span = Math.min(rowsPerDay * 2, rows);
      const run = await table.commit(next, batchRows, (n) =>
        n < next + fresh ? undefined : next - 1 - ((n * 7919) % span),
      );
      if (run.result.duplicates === 0 || run.result.corrected === 0) throw new Error("no row was known");
      runs.push(run);
      mergingMs += (await costOf(() => table.settled())).cpuMs;
    }
    const { wallMs, cpuMs } = medianCost(runs);
    const average = (runs.reduce((sum, run) => sum + run.cpuMs, 0) + mergingMs) / rounds;
    console.log(
      `  commit of ${count(batchRows)} samples ${wallMs.toFixed(0)} ms, CPU ${cpuMs.toFixed(0)} ms (median of ${rounds}); ` +
        `CPU ${average.toFixed(0)} ms on the average, with the merging of the key index that they lead to; ` +
        `counts ${JSON.stringify(table.counts())}`,
    );
    return { wallMs, cpuMs };
  } finally {
    await table.close();
  }
}
