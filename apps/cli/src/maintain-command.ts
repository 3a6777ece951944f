import { Command } from "commander";

import { askService } from "./ask-service.ts";
import { runCommand, type CommandResult } from "./command.ts";
import { CommandError, EXIT } from "./exit-code.ts";
import { findLake, withLakeOptions, type Lake, type LakeOptions } from "./lake-location.ts";
import { chosenDatasets } from "./lake-tables.ts";
import { seconds } from "./option-values.ts";
import { startProgress } from "./progress.ts";
import { formatTable, type Cell } from "./text-table.ts";

interface MaintainOptions extends LakeOptions {
  readonly run?: boolean;
  readonly orphans?: boolean;
  readonly statistics?: boolean;
  readonly timeout: number;
}

const TIMEOUT_SECONDS = 600;

/** Between two answers of the writer, for the progress on the screen. */
const PIECE_MS = 2_000;
/** New files may come as fast as they are merged. */
const PIECES_MAX = 1_000;

const HELP = `
The running catalog-writer merges small files, rewrites manifests in the order of partitions and expires
old snapshots by itself: as few as keep the tables quick while rows arrive, more at rest. This shows what
is left to do, and with --run lets it do all of it at once. Maintenance changes no row and goes on beside
ingest.

With --orphans it also looks for files in the tables' folders that nothing names and that are older than
three days (FIRN_ORPHAN_AGE_MS): what failed commits left. --json lists some of them. With --run they are
removed.

With --statistics and --run it also counts the different values of each column (Theta sketches in a Puffin
file), for the optimisers of Trino and Spark; Firn does not need them. That reads whole tables, and is done
only when asked.

Examples
  firn maintain
  firn maintain health --run
  firn maintain --orphans

Exit codes: 0 done, 2 wrong usage, 3 the catalog-writer does not answer.`;

export function maintainCommand(): Command {
  const command = new Command("maintain")
    .summary("what maintenance is due")
    .description(
      "Shows which files would be merged, which manifests rewritten and which snapshots expired, table by table.",
    )
    .argument("[lake]", "only this lake, for example health")
    .option("--run", "do it now")
    .option("--orphans", "also files that nothing names")
    .option("--statistics", "with --run: count the different values of each column")
    .option("--timeout <seconds>", "how long to wait at most", seconds, TIMEOUT_SECONDS)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((name: string | undefined, options: MaintainOptions) =>
    runCommand(options, () => maintain(name, options)),
  );
}

async function maintain(name: string | undefined, options: MaintainOptions): Promise<CommandResult> {
  const lake = findLake(options);
  const plans: Upkeep[] = [];
  for (const dataset of chosenDatasets(name)) {
    const ask = (more: object): Promise<Upkeep[]> => askWriter(lake, { dataset: dataset.name, ...more }, options);
    const planned = await ask({ run: false, orphans: options.orphans === true && options.run !== true });
    plans.push(...(options.run === true ? await runPlans(dataset.name, planned, ask, options) : planned));
  }
  return { exitCode: EXIT.done, json: { ran: options.run === true, tables: plans }, text: formatPlans(plans) };
}

/** What the writer tells of one table: numbers and texts by name. */
type Upkeep = Readonly<Record<string, unknown>>;

async function askWriter(lake: Lake, request: object, { timeout }: MaintainOptions): Promise<Upkeep[]> {
  const answer = await askService(lake, "catalog-writer.maintain", request, timeout * 1000);
  const { error, tables = [] } = answer as { error?: string; tables?: Upkeep[] };
  if (error !== undefined) throw new CommandError(EXIT.broken, `the catalog-writer cannot do it now: ${error}`);
  return tables;
}

/** Each table in pieces of a few seconds, until nothing is left or nothing more comes of it. */
async function runPlans(
  dataset: string,
  planned: readonly Upkeep[],
  ask: (request: object) => Promise<Upkeep[]>,
  options: MaintainOptions,
): Promise<Upkeep[]> {
  const progress = startProgress(
    dataset,
    planned.reduce((sum, plan) => sum + workLeft(plan), 0),
  );
  const reports: Upkeep[] = [];
  let before = 0;
  try {
    for (const plan of planned) {
      let report = plan;
      const done = new Map<string, number>();
      for (let piece = 0; piece < PIECES_MAX; piece++) {
        const [answer] = await ask({ run: true, table: plan["table"], limit_ms: PIECE_MS });
        if (!answer) break;
        report = answer;
        const came = addUp(done, answer);
        progress.update(before + Math.max(0, workLeft(plan) - workLeft(answer)), String(plan["table"]));
        if (came === 0 || workLeft(answer) === 0) break;
      }
      const { orphans = false, statistics = false } = options;
      const [last] = orphans || statistics ? await ask({ run: true, orphans, statistics, table: plan["table"] }) : [];
      reports.push({ ...report, ...last, ...Object.fromEntries(done) });
      before += workLeft(plan);
    }
  } finally {
    progress.end();
  }
  return reports;
}

/** Files, manifests and snapshots that are to go. */
function workLeft(plan: Upkeep): number {
  return ["files_to_merge", "manifests_to_rewrite", "snapshots_to_expire"].reduce(
    (sum, name) => sum + Number(plan[name] ?? 0),
    0,
  );
}

/** Adds what a piece has done to what the ones before did; returns how much it was. */
function addUp(done: Map<string, number>, answer: Upkeep): number {
  let all = 0;
  for (const name of ["files_merged", "files_written", "manifests_rewritten", "snapshots_expired"]) {
    const count = Number(answer[name] ?? 0);
    done.set(name, (done.get(name) ?? 0) + count);
    all += count;
  }
  return all;
}

/** The columns are whatever the writer tells. */
function formatPlans(plans: readonly Upkeep[]): string {
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
