import { ConfigError, readConfig } from "./config.ts";
import { runStandalone } from "./run-standalone.ts";
import { parseStartArguments } from "./start-arguments.mjs";

const parsed = parseStartArguments(process.argv.slice(2), process.env);
if (parsed.kind === "end") {
  (parsed.exitCode === 0 ? process.stdout : process.stderr).write(parsed.text);
  process.exitCode = parsed.exitCode;
} else {
  // A reader that went away (npm start | head) must not end the lake.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  try {
    process.exit(await runStandalone(await readConfig(parsed.options, process.env)));
  } catch (error) {
    process.stderr.write(`firn: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof ConfigError ? 2 : 1);
  }
}
