// `npm test`: every test that runs in a few minutes, with a real nats-server. Sets up a bare clone first (packages,
// builds, nats-server) and says so. Arguments go to vitest. The last line is `N passed, N failed, N skipped`.
import { appNames, bootstrap } from "./bootstrap.mjs";
import { ensureNatsServer } from "./nats-server.mjs";
import { runVitest } from "./vitest-run.mjs";

bootstrap(appNames());
const natsServer = await ensureNatsServer({ log: (line) => console.log(`nats-server: ${line}`) });
const args = process.argv.slice(2);
const { passed, failed, skipped } = runVitest({
  name: "test",
  args,
  env: { ...process.env, NATS_SERVER_BIN: natsServer },
});
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
