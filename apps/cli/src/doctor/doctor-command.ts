import { resolve } from "node:path";

import { Command } from "commander";

import { runCommand, type CommandResult } from "../command.ts";
import { readConfig } from "../config.ts";
import { EXIT } from "../exit-code.ts";
import { DEFAULT_DATA_DIR, findLake, withLakeOptions, type LakeOptions } from "../lake-location.ts";
import type { Check } from "./check.ts";
import { diagnoseLake, diagnoseStart } from "./diagnose.ts";
import { thisMachine } from "./probe-world.ts";

const HELP = `
A lake that runs is looked at from outside: NATS (version, sync, limits, space), the catalog and the
warehouse (a probe is written and removed), PostgreSQL and its migrations, every service, clocks,
time-zone databases, free disk. In a cluster NATS_URL, FIRN_NATS_MONITOR_URL, ICEBERG_CATALOG_URI,
ICEBERG_WAREHOUSE, DATABASE_URL, FIRN_INGEST_URL and FIRN_QUERY_URL say where things are.
With nothing running it looks at what a start would need: ports, folder, space, tools.

Examples
  firn doctor
  firn doctor --json | jq '.checks[] | select(.ok | not)'

Exit codes: 0 all is well, 1 something is not, 2 wrong usage.`;

export function doctorCommand(): Command {
  const command = new Command("doctor")
    .summary("what is wrong with a deployment, and how to mend it")
    .description("Checks a deployment, or what a start would need, and says what to fix and how.")
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((options: LakeOptions) => runCommand(options, () => doctor(options)));
}

async function doctor(options: LakeOptions): Promise<CommandResult> {
  const lake = findLake(options);
  const { nats, catalog, ingest, query } = lake.endpoints;
  const isKnown = [lake.dataDir, nats, catalog, ingest, query].some((each) => each !== undefined);
  const { dataDir, environment } = readConfig();
  const folder = resolve(options.dataDir ?? dataDir ?? DEFAULT_DATA_DIR);
  const checks = isKnown
    ? await diagnoseLake(lake, thisMachine)
    : await diagnoseStart(folder, environment, thisMachine);
  const ok = checks.every((each) => each.ok);
  return { exitCode: ok ? EXIT.done : EXIT.no, json: { ok, checks }, text: checks.flatMap(linesOf).join("\n") };
}

function linesOf({ name, ok, message, fix }: Check): string[] {
  return [`${ok ? "ok  " : "FAIL"} ${name}: ${message}`, ...(fix === null ? [] : [`     fix: ${fix}`])];
}
