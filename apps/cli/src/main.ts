import { runFirn } from "./program.ts";

// A reader that went away (firn … | head) is no error.
process.stdout.on("error", () => undefined);
process.exitCode = await runFirn(process.argv.slice(2));
