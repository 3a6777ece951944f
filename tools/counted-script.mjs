// Runs a test script and adds what it closes with to some totals.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/**
 * A script counts by its line `N passed, N failed` or `N passed, N failed, N skipped`, or as one by its exit code.
 * @param totals {passed, failed, skipped}
 */
export function runScript(totals, script, ...args) {
  console.log(`\n${script} ${args.join(" ")}`);
  const run = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  process.stdout.write(run.stdout);
  const counts = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/m.exec(run.stdout);
  if (counts === null) totals[run.status === 0 ? "passed" : "failed"]++;
  else for (const [at, what] of ["passed", "failed", "skipped"].entries()) totals[what] += Number(counts[at + 1] ?? 0);
  if (run.status === 0 || Number(counts?.[2]) > 0) return;
  // It ended badly, whatever it counted.
  if (counts !== null) totals.failed++;
  console.log(`  ✗ ${script}: exit code ${run.status}`);
}
