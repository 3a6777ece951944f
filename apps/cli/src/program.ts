import { datasetSettings } from "@firn/datasets";
import { Command, CommanderError } from "commander";

import { checkCommand } from "./check-command.ts";
import { costCommand } from "./cost/cost-command.ts";
import { doctorCommand } from "./doctor/doctor-command.ts";
import { errorsCommand } from "./errors-command.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { importCommand } from "./import/import-command.ts";
import { ingestJobCommand } from "./ingest-job-command.ts";
import { maintainCommand } from "./maintain-command.ts";
import { produceCommand } from "./produce/produce-command.ts";
import { migrateCommand } from "./migrate/migrate-command.ts";
import { qualityCommand } from "./quality-command.ts";
import { rebuildCommand } from "./rebuild-command.ts";
import { replayCommand } from "./replay/replay-command.ts";
import { resumeCommand } from "./resume-command.ts";
import { setupCommand } from "./setup-command.ts";
import { statusCommand } from "./status-command.ts";
import { streamsCommand } from "./streams-command.ts";
import { tablesCommand } from "./tables-command.ts";
import { verifyCommand } from "./verify/verify-command.ts";
import { version } from "./version.ts";

const lakeVariables = Object.values(datasetSettings).map(({ env }) => env);

const HELP = `
A lake is found by endpoints.json in its data directory (--data-dir, FIRN_DATA_DIR, default .firn);
NATS_URL, ICEBERG_CATALOG_URI, ICEBERG_WAREHOUSE, FIRN_INGEST_URL, FIRN_QUERY_URL and DATABASE_URL come
before it.
A lake on S3 or behind a catalog that asks who one is needs S3_*, AWS_REGION and ICEBERG_CATALOG_* as its services do.
Ingest and query are sent the token of FIRN_TOKEN, the catalog that of ICEBERG_CATALOG_TOKEN.
Where the services have them, it needs FIRN_DEFAULT_TIMEZONE and the variables of the lakes too:
${lakeVariables.map((name) => `  ${name}`).join("\n")}

Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 the world is broken.
"firn COMMAND --help" explains a command with examples.`;

/** Runs `firn` with these arguments (without node and script) and gives its exit code. */
export async function runFirn(args: readonly string[]): Promise<ExitCode> {
  const program = new Command("firn")
    .description("The operator's command of a Firn lake.")
    .version(version)
    .addHelpText("after", HELP)
    .addCommand(replayCommand())
    .addCommand(importCommand())
    .addCommand(produceCommand())
    .addCommand(ingestJobCommand())
    .addCommand(migrateCommand())
    .addCommand(qualityCommand())
    .addCommand(costCommand())
    .addCommand(setupCommand())
    .addCommand(statusCommand())
    .addCommand(doctorCommand())
    .addCommand(checkCommand())
    .addCommand(verifyCommand())
    .addCommand(tablesCommand())
    .addCommand(errorsCommand())
    .addCommand(rebuildCommand())
    .addCommand(maintainCommand())
    .addCommand(streamsCommand())
    .addCommand(resumeCommand());
  for (const command of withSubcommands(program)) {
    command.exitOverride().showHelpAfterError("Try --help.");
  }
  process.exitCode = EXIT.done;
  try {
    await program.parseAsync(args, { from: "user" });
    return process.exitCode as ExitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}
