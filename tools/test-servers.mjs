// `npm run test:servers`: the lake against servers that are not ours. Runs every `*.interop.test.ts` (object stores and
// catalogs, contract suites and faults) and then the scripts of e2e/servers. The servers are fetched once into
// ~/.cache/firn (tools/foreign-servers.mjs). The last line is `N passed, N failed, N skipped`.
import { appNames, bootstrap } from "./bootstrap.mjs";
import { runScript } from "./counted-script.mjs";
import { runVitest } from "./vitest-run.mjs";
import { helpIfAsked } from "./script-options.mjs";

const totals = { passed: 0, failed: 0, skipped: 0 };

helpIfAsked();
bootstrap(appNames());
runTests();
runScriptTwice("e2e/servers/health-lake.mjs");
runScriptTwice("e2e/servers/spark-beside.mjs");
runScript(totals, "e2e/kill-test.mjs", "--s3", "seaweedfs", "--samples", "20000", "--users", "60", "--kills", "9");
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;

function runTests() {
  const counts = runVitest({ name: "servers", args: ["--config", "vitest.interop.config.ts"] });
  for (const what of Object.keys(totals)) totals[what] += counts[what];
}

/** In CI a script of many servers has a second try: a package server or a JVM that stalls is no defect of the lake. */
function runScriptTwice(script, ...args) {
  const before = { ...totals };
  runScript(totals, script, ...args);
  if (totals.failed === before.failed || !process.env.CI) return;
  Object.assign(totals, before);
  console.log("\nA second try:");
  runScript(totals, script, ...args);
}
