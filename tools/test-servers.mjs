// `npm run test:servers`: the lake against servers that are not ours. Runs every `*.interop.test.ts` (object stores and
// catalogs, contract suites and faults) and then the scripts of e2e/servers. The servers are fetched once into
// ~/.cache/firn (tools/foreign-servers.mjs). The last line is `N passed, N failed, N skipped`.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { appNames, bootstrap } from "./bootstrap.mjs";

const root = join(import.meta.dirname, "..");
const report = join(root, ".nx", "servers-report.json");
const totals = { passed: 0, failed: 0, skipped: 0 };

bootstrap(appNames());
runTests();
runScript("e2e/servers/health-lake.mjs");
runScript("e2e/kill-test.mjs", "--s3", "seaweedfs", "--samples", "20000", "--users", "60", "--kills", "9");
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;

function runTests() {
  mkdirSync(join(root, ".nx"), { recursive: true });
  rmSync(report, { force: true });
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const args = [vitest, "run", "--config", "vitest.interop.config.ts", ...reporters];
  const run = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  try {
    const result = JSON.parse(readFileSync(report, "utf8"));
    totals.passed += result.numPassedTests;
    totals.failed += result.numFailedTests + (run.status !== 0 && result.numFailedTests === 0 ? 1 : 0);
    totals.skipped += result.numPendingTests + result.numTodoTests;
  } catch {
    totals.failed++;
  }
}

/** A script counts by its last line `N passed, N failed`, or as one by its exit code. */
function runScript(script, ...args) {
  console.log(`\n${script} ${args.join(" ")}`);
  const run = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  process.stdout.write(run.stdout);
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(run.stdout) ?? [];
  totals.passed += passed === undefined ? Number(run.status === 0) : Number(passed);
  totals.failed += failed === undefined ? Number(run.status !== 0) : Number(failed);
}
