import { tablesOf } from "@firn/core";
import { createTableRequest, definedIdentifier, isLakeError } from "@firn/lake";
import { Command } from "commander";

import { runCommand, type CommandResult } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { findLake, withLakeOptions, type LakeOptions } from "./lake-location.ts";
import { chosenDatasets, fullName, openLake } from "./lake-tables.ts";

const HELP = `
Tables that are there stay as they are. The catalog-writer makes the same tables when it starts; this
makes them before anything runs, for example to grant rights on them.

Exit codes: 0 every table is there, 2 wrong usage, 3 the catalog does not answer.`;

export function tablesInitCommand(): Command {
  const command = new Command("init")
    .summary("make the tables that are missing")
    .description("Makes the namespaces and tables of a lake, or of all, that are not there yet.")
    .argument("[lake]", "only this lake, for example market")
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((lake: string | undefined, _: LakeOptions, self: Command) => {
    const options = self.optsWithGlobals<LakeOptions>();
    return runCommand(options, () => init(lake, options));
  });
}

async function init(name: string | undefined, options: LakeOptions): Promise<CommandResult> {
  const { catalog } = await openLake(findLake(options));
  const made: string[] = [];
  const found: string[] = [];
  for (const definition of chosenDatasets(name).flatMap(tablesOf)) {
    const identifier = definedIdentifier(definition);
    if (!(await catalog.namespaceExists(identifier.namespace)))
      await unlessThere(catalog.createNamespace(identifier.namespace));
    const isThere = await catalog.tableExists(identifier);
    if (!isThere) await unlessThere(catalog.createTable(identifier, createTableRequest(definition)));
    (isThere ? found : made).push(fullName(definition));
  }
  const text = [...made.map((table) => `made  ${table}`), ...found.map((table) => `there ${table}`)].join("\n");
  return { exitCode: EXIT.done, json: { made, found }, text };
}

/** Another process may make the same at the same time. */
async function unlessThere(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isLakeError(error, "already_exists")) throw error;
  }
}
