// `npm run test:kafka`: a lake that reads a real broker and a real registry. First 200,000 samples while ingest is killed
// and its group rebalances (arguments go there: `-- --samples 20000 --kills 2`), then what only a real broker shows. The
// last line is `N passed, N failed, N skipped`. Needs Java 17 and mvn; without them it is skipped.
import { appNames, bootstrap } from "./bootstrap.mjs";
import { runScript } from "./counted-script.mjs";
import { helpIfAsked } from "./script-options.mjs";

const totals = { passed: 0, failed: 0, skipped: 0 };

helpIfAsked();
bootstrap(appNames());
runScript(totals, "e2e/kafka-kill-test.mjs", ...process.argv.slice(2));
runScript(totals, "e2e/kafka-broker-test.mjs");
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed === 0 ? 0 : 1;
