// `npm run test:servers`: the lake against servers that are not ours. Runs every `*.interop.test.ts` (object stores and
// catalogs, contract suites and faults) and then the scripts of e2e/servers. The servers are fetched once into
// ~/.cache/firn (tools/foreign-servers.mjs). The last line is `N passed, N failed, N skipped`.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { appNames, bootstrap } from "./bootstrap.mjs";
import { runVitest } from "./vitest-run.mjs";

const root = join(import.meta.dirname, "..");
const totals = { passed: 0, failed: 0, skipped: 0 };

bootstrap(appNames());
runTests();
runScriptTwice("e2e/servers/health-lake.mjs");
runScriptTwice("e2e/servers/spark-beside.mjs");
runScript("e2e/kill-test.mjs", "--s3", "seaweedfs", "--samples", "20000", "--users", "60", "--kills", "9");
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;

function runTests() {
  const counts = runVitest({ name: "servers", args: ["--config", "vitest.interop.config.ts"] });
  for (const what of Object.keys(totals)) totals[what] += counts[what];
}

/** In CI a script of many servers has a second try: a package server or a JVM that stalls is no defect of the lake. */
function runScriptTwice(script, ...args) {
  const before = { ...totals };
  runScript(script, ...args);
  if (totals.failed === before.failed || !process.env.CI) return;
  Object.assign(totals, before);
  console.log("\nA second try:");
  runScript(script, ...args);
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
