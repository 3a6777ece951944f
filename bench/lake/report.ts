/** Prints what two sides took for the same, a line each. */
import type { Cost } from "../load/cost.ts";
import { percentile } from "../load/timed-questions.ts";

export function printHeading(text: string): void {
  console.log(`\n${text}`);
}

/** @param runs undefined: it did not end within the limit */
export function printCost(side: string, runs: readonly Cost[] | undefined, note = ""): void {
  if (runs === undefined) return console.log(`  ${side.padEnd(34)} not done within the limit ${note}`);
  const wall = runs.map((run) => run.wallMs).sort((one, other) => one - other);
  const cpu = runs.map((run) => run.cpuMs).sort((one, other) => one - other);
  console.log(
    `  ${side.padEnd(34)} ${seconds(wall)} s, CPU ${seconds(cpu)} s${runs.length > 1 ? `, median of ${runs.length}` : ""} ${note}`,
  );
}

export function printQuestions(side: string, runs: readonly Cost[] | undefined, note = ""): void {
  if (runs === undefined) return console.log(`  ${side.padEnd(34)} not done within the limit ${note}`);
  const wall = runs.map((run) => run.wallMs).sort((one, other) => one - other);
  const cpu = runs.map((run) => run.cpuMs).sort((one, other) => one - other);
  const at = (sorted: readonly number[], share: number) => percentile(sorted, share).toFixed(1);
  console.log(
    `  ${side.padEnd(34)} p50 ${at(wall, 0.5)} ms, p95 ${at(wall, 0.95)} ms, CPU ${at(cpu, 0.5)} ms ${note}`.trimEnd(),
  );
}

const seconds = (sorted: readonly number[]): string => ((sorted[sorted.length >> 1] ?? NaN) / 1000).toFixed(2);
