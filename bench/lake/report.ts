/** Prints what two sides took for the same, a line each. */
import type { Cost } from "../load/cost.ts";
import { percentile } from "../load/timed-questions.ts";

export interface Outcome {
  readonly runs: readonly Cost[];
  /** What it had cost when it was stopped at the limit. */
  readonly stopped?: Cost;
}

export function printHeading(text: string): void {
  console.log(`\n${text}`);
}

/** @param note is asked where there are runs */
export function printCost(side: string, outcome: Outcome, note: () => string): void {
  const { runs } = outcome;
  const middle = (of: keyof Cost) => seconds(percentile(sorted(runs, of), 0.5));
  const median = runs.length > 1 ? `, median of ${runs.length}` : "";
  print(side, outcome, () => `${middle("wallMs")} s, CPU ${middle("cpuMs")} s${median}; ${note()}`);
}

export function printQuestions(side: string, outcome: Outcome, files: number): void {
  const { runs } = outcome;
  const at = (of: keyof Cost, share: number) => percentile(sorted(runs, of), share).toFixed(1);
  const clock = () => `p50 ${at("wallMs", 0.5)} ms, p95 ${at("wallMs", 0.95)} ms`;
  print(side, outcome, () => `${clock()}, CPU p50 ${at("cpuMs", 0.5)} ms, p95 ${at("cpuMs", 0.95)} ms; ${files} files`);
}

function print(side: string, { runs, stopped }: Outcome, text: () => string): void {
  const told =
    runs.length === 0 && stopped !== undefined
      ? `stopped after ${seconds(stopped.wallMs)} s, CPU ${seconds(stopped.cpuMs)} s`
      : text();
  console.log(`  ${side.padEnd(30)} ${told}`);
}

const sorted = (runs: readonly Cost[], of: keyof Cost): number[] =>
  runs.map((run) => run[of]).sort((one, other) => one - other);

const seconds = (ms: number): string => (ms / 1000).toFixed(2);
