/** The short form of `e2e/kill-test.mjs`: one SIGKILL for each process while samples are sent. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const limitMs = 180_000;
const processes = ["ingest", "validator", "catalog-writer", "aggregator", "catalog", "nats"];

interface Report {
  readonly killed: Record<string, number>;
  readonly problems: readonly string[];
}

it(
  "each process killed once while samples are sent: nothing is lost, nothing doubled, aggregates equal raw",
  async () => {
    const seed = process.env["FIRN_KILL_SEED"] ?? "1";
    const script = join(import.meta.dirname, "kill-test.mjs");
    const args = ["--seed", seed, "--samples", "20000", "--users", "60", "--kills", "6", "--json"];
    const report = await new Promise<Report>((resolve, reject) => {
      execFile(process.execPath, [script, ...args], (error, stdout, stderr) => {
        if (stdout.trim() === "") reject(new Error(`seed ${seed}: no report\n${stderr}`, { cause: error }));
        else resolve(JSON.parse(stdout) as Report);
      });
    });
    expect(report.problems, `seed ${seed}`).toEqual([]);
    expect(report.killed).toEqual(Object.fromEntries(processes.map((name) => [name, 1])));
  },
  limitMs,
);
