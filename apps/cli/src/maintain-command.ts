import { Command } from "commander";

import { askService } from "./ask-service.ts";
import { runCommand, type CommandResult } from "./command.ts";
import { CommandError, EXIT } from "./exit-code.ts";
import { findLake, withLakeOptions, type LakeOptions } from "./lake-location.ts";
import { chosenDatasets } from "./lake-tables.ts";
import { seconds } from "./option-values.ts";
import { formatTable, type Cell } from "./text-table.ts";

interface MaintainOptions extends LakeOptions {
  readonly run?: boolean;
  readonly orphans?: boolean;
  readonly timeout: number;
}

const TIMEOUT_SECONDS = 600;

const HELP = `
The running catalog-writer merges small files and expires old snapshots by itself: as few as keep the
tables quick while rows arrive, more at rest. This shows what is left to do, and with --run lets it do all of
it at once. Maintenance changes no row and goes on beside ingest.

With --orphans it also looks for files in the tables' folders that nothing names and that are older than three days
(FIRN_ORPHAN_AGE_MS): what failed commits left. --json lists some of them. With --run they are removed.

Examples
  firn maintain
  firn maintain health --run
  firn maintain --orphans

Exit codes: 0 done, 2 wrong usage, 3 the catalog-writer does not answer.`;

export function maintainCommand(): Command {
  const command = new Command("maintain")
    .summary("what maintenance is due")
    .description("Shows which files would be merged and which snapshots expired, table by table.")
    .argument("[lake]", "only this lake, for example health")
    .option("--run", "do it now")
    .option("--orphans", "also files that nothing names")
    .option("--timeout <seconds>", "how long to wait at most", seconds, TIMEOUT_SECONDS)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((name: string | undefined, options: MaintainOptions) =>
    runCommand(options, () => maintain(name, options)),
  );
}

async function maintain(name: string | undefined, options: MaintainOptions): Promise<CommandResult> {
  const lake = findLake(options);
  const plans: Record<string, unknown>[] = [];
  for (const dataset of chosenDatasets(name)) {
    const request = { dataset: dataset.name, run: options.run === true, orphans: options.orphans === true };
    const answer = await askService(lake, "catalog-writer.maintain", request, options.timeout * 1000);
    const { error, tables = [] } = answer as { error?: string; tables?: readonly Record<string, unknown>[] };
    if (error !== undefined) throw new CommandError(EXIT.broken, `the catalog-writer cannot do it now: ${error}`);
    plans.push(...tables);
  }
  return { exitCode: EXIT.done, json: { ran: options.run === true, tables: plans }, text: formatPlans(plans) };
}

/** The columns are whatever the writer tells. */
function formatPlans(plans: readonly Record<string, unknown>[]): string {
  if (plans.length === 0) return "nothing to do";
  const header = [...new Set(plans.flatMap((plan) => Object.keys(plan)))].filter((name) => name !== "orphans");
  const cell = (value: unknown): Cell =>
    typeof value === "number" || typeof value === "string"
      ? value
      : value === undefined
        ? undefined
        : JSON.stringify(value);
  return formatTable(
    header.map((name) => name.replaceAll("_", " ")),
    plans.map((plan) => header.map((name) => cell(plan[name]))),
  );
}
