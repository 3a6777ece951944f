// `npm start`: sets up what is missing, then runs the standalone with the same arguments in this process, so that a
// signal from the terminal reaches it directly.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { parseStartArguments } from "../apps/standalone/src/start-arguments.mjs";
import { bootstrap, say } from "./bootstrap.mjs";
import { ensureNatsServer } from "./nats-server.mjs";

const parsed = parseStartArguments(process.argv.slice(2), process.env);
if (parsed.kind === "end") {
  (parsed.exitCode === 0 ? process.stdout : process.stderr).write(parsed.text);
  process.exit(parsed.exitCode);
}

const root = join(import.meta.dirname, "..");
bootstrap(["standalone", "cli", ...parsed.options.only.filter((name) => name !== "nats" && name !== "database")]);
if (parsed.options.only.includes("nats")) {
  process.env.NATS_SERVER_BIN = await ensureNatsServer({ log: say }).catch((error) => {
    say(error.message);
    process.exit(1);
  });
}
await import(pathToFileURL(join(root, "apps", "standalone", "dist", "main.js")).href);
