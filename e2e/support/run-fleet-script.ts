import { execFile } from "node:child_process";
import { join } from "node:path";

/** What `e2e/replicas.mjs` and `e2e/rolling-restart.mjs` print. */
export interface FleetReport {
  readonly accepted: { readonly requests: number; readonly records: number };
  readonly killed?: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

/** Runs one of them; throws with what it said when it prints no report. */
export function runFleetScript(script: string, args: readonly string[]): Promise<FleetReport> {
  return new Promise((resolve, reject) => {
    const path = join(import.meta.dirname, "..", script);
    execFile(process.execPath, [path, ...args, "--json"], (error, stdout, stderr) => {
      if (stdout.trim() === "") reject(new Error(`${script}: no report\n${stderr}`, { cause: error }));
      else resolve(JSON.parse(stdout) as FleetReport);
    });
  });
}
