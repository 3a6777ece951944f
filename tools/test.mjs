// `npm test`: every test that runs in a few minutes, with a real nats-server. Sets up a bare clone first (packages,
// builds, nats-server) and says so. Arguments go to vitest. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { appNames, bootstrap } from "./bootstrap.mjs";
import { ensureNatsServer } from "./nats-server.mjs";

const root = join(import.meta.dirname, "..");
const report = join(root, ".nx", "test-report.json");

bootstrap(appNames());
const natsServer = await ensureNatsServer({ log: (line) => console.log(`nats-server: ${line}`) });

mkdirSync(join(root, ".nx"), { recursive: true });
rmSync(report, { force: true });
const run = spawnSync(
  process.execPath,
  [
    join(root, "node_modules", "vitest", "vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: "inherit", env: { ...process.env, NATS_SERVER_BIN: natsServer } },
);

const counts = countsOf(report);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = run.status === 0 && counts.failed === 0 && counts.passed > 0 ? 0 : 1;

/** A suite that could not run counts as one failed test. */
function countsOf(path) {
  try {
    const result = JSON.parse(readFileSync(path, "utf8"));
    const broken = result.testResults.filter(
      (file) => file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed"),
    ).length;
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + broken,
      skipped: result.numPendingTests + result.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
