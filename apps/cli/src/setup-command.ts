import { isDatabaseAway, migrateDatabase } from "@firn/relational";
import { Command } from "commander";

import { runCommand, type CommandResult } from "./command.ts";
import { CommandError, EXIT } from "./exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type LakeOptions } from "./lake-location.ts";

const HELP = `
The relations of the market lake lie in PostgreSQL (DATABASE_URL). A new database gets all of them, an older
one what has come since; each migration runs once, also when several processes come at once. The standalone
does this at every start, a cluster by a Job before its services. Streams and Iceberg tables are made by the
services themselves: with --setup they do only that.

Examples
  firn setup
  DATABASE_URL=postgres://firn@db/firn firn setup --json

Exit codes: 0 done, 2 wrong usage, 3 the database does not answer or refuses.`;

export function setupCommand(): Command {
  const command = new Command("setup")
    .summary("bring PostgreSQL to the newest schema")
    .description("Brings the database of the relations to the newest schema.")
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((options: LakeOptions) => runCommand(options, () => setUp(options)));
}

async function setUp(options: LakeOptions): Promise<CommandResult> {
  const databaseUrl = requireAddress(findLake(options), "database");
  try {
    const migrations = await migrateDatabase({ databaseUrl });
    const text = migrations.length === 0 ? "nothing to do" : migrations.map((name) => `ran ${name}`).join("\n");
    return { exitCode: EXIT.done, json: { migrations }, text };
  } catch (cause) {
    const { host } = new URL(databaseUrl);
    const reason = isDatabaseAway(cause) ? "does not answer" : `refuses: ${(cause as Error).message}`;
    throw new CommandError(EXIT.broken, `the database at ${host} ${reason}`, { cause });
  }
}
