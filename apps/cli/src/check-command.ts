import { tablesOf, type Dataset } from "@firn/core";
import { definedIdentifier, loadTable, type LakeEnvironment } from "@firn/lake";
import { Command } from "commander";

import { checkTable, type Check } from "./table-check.ts";
import { runCommand, type CommandResult } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type Lake, type LakeOptions } from "./lake-location.ts";
import { chosenDatasets, fullName, openLake, unlessMissing } from "./lake-tables.ts";

const HELP = `
Checks, one a line: the catalog answers, the namespace is there, and each of the lake's tables is
there with its columns (name, type, nullability), its identity columns and its partitions.

Examples
  firn check
  firn check health --json | jq '.checks[] | select(.ok | not)'

Exit codes: 0 all is as it should be, 1 something is not, 2 wrong usage, 3 the catalog does not answer.`;

export function checkCommand(): Command {
  const command = new Command("check")
    .summary("is everything set up: catalog, namespaces, tables, schemas, partitions")
    .description("Compares the catalog with what the lakes declare.")
    .argument("[lake]", "only this lake, for example health")
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((name: string | undefined, options: LakeOptions) =>
    runCommand(options, () => check(name, options)),
  );
}

async function check(name: string | undefined, options: LakeOptions): Promise<CommandResult> {
  const chosen = chosenDatasets(name);
  const lake = findLake(options);
  const env = await openLake(lake);
  const checks = [await checkCatalog(env, lake)];
  for (const dataset of chosen) checks.push(...(await checkDataset(env, dataset)));
  const ok = checks.every((each) => each.ok);
  return { exitCode: ok ? EXIT.done : EXIT.no, json: { ok, checks }, text: checks.map(checkLine).join("\n") };
}

async function checkCatalog(env: LakeEnvironment, lake: Lake): Promise<Check> {
  await env.catalog.config();
  return { name: "catalog", ok: true, message: `answers at ${requireAddress(lake, "catalog")}`, fix: null };
}

async function checkDataset(env: LakeEnvironment, dataset: Dataset): Promise<readonly Check[]> {
  const namespace = dataset.namespace.split(".");
  const there = await env.catalog.namespaceExists(namespace);
  const fix = "start the catalog-writer, which makes what is missing";
  const checks: Check[] = [
    {
      name: `namespace ${dataset.namespace}`,
      ok: there,
      message: there ? "is there" : "is missing",
      fix: there ? null : fix,
    },
  ];
  for (const definition of tablesOf(dataset)) {
    const table = there ? await unlessMissing(loadTable(env, definedIdentifier(definition))) : undefined;
    const subject = `table ${fullName(definition)}`;
    if (table === undefined) checks.push({ name: subject, ok: false, message: "is missing", fix });
    else checks.push(...checkTable(subject, definition, table.metadata));
  }
  return checks;
}

function checkLine({ ok, name, message, fix }: Check): string {
  return `${ok ? "ok  " : "FAIL"} ${name}: ${message}${fix === null ? "" : `\n     ${fix}`}`;
}
