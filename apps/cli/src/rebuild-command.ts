import type { Dataset, RebuildReport, RollupValidation } from "@firn/core";
import { definedIdentifier, isLakeError } from "@firn/lake";
import { Command } from "commander";

import { lakeQuery } from "./lake-clients.ts";
import { askService } from "./ask-service.ts";
import { runCommand, type CommandResult } from "./command.ts";
import { CommandError, EXIT } from "./exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type Lake, type LakeOptions } from "./lake-location.ts";
import { chosenDatasets, fullName, openLake } from "./lake-tables.ts";
import { date, seconds } from "./option-values.ts";

interface RebuildOptions extends LakeOptions {
  readonly date?: string;
  readonly from?: string;
  readonly to?: string;
  readonly environment: string;
  readonly database?: string;
  readonly rawTable?: string;
  readonly summaryTable?: string;
  readonly validate: boolean;
  readonly cleanup?: boolean;
  readonly timeout: number;
}

const TIMEOUT_SECONDS = 3600;
const WAIT_STEP_MS = 5_000;
/** Where tables may be dropped by a command. */
const CLEANUP_ENVIRONMENT = "development";

const HELP = `
The running aggregator computes every window that the range touches anew from raw, and the writer commits
the rows of a table at once; a table changes only where a row was wrong. Ingest goes on meanwhile.
Before that the result is judged against raw: it has a row for each window that raw has and no other, and
its totals are raw's within 0.01. A result that does not hold is not written, and the exit code is 1.

--database, --raw-table and --summary-table say which tables are meant; a lake has its own, and other
names are refused. --cleanup drops raw and the summaries afterwards: only with --environment development.

Examples
  firn rebuild sales --date 2025-01-16
  firn rebuild sales --from 2025-01-14 --to 2025-01-16 --json
  firn rebuild health --from 2026-01-01 --to 2026-03-31 --no-validate
  firn rebuild sales --environment development --cleanup

Exit codes: 0 rebuilt and settled, 1 refused by the validation or not settled in time, 2 wrong usage,
3 the aggregator does not answer.`;

export function rebuildCommand(): Command {
  const command = new Command("rebuild")
    .summary("make aggregates anew from raw")
    .description("Makes the aggregates of a lake anew from its raw table, judged before they are written.")
    .argument("<lake>", "for example sales")
    .option("--date <date>", "this local date only, YYYY-MM-DD", date)
    .option("--from <date>", "first local date; without it from the beginning", date)
    .option("--to <date>", "last local date, inclusive; without it to the end", date)
    .option("--environment <name>", "development, staging, production: what this lake is for", "production")
    .option("--database <name>", "namespace of the tables")
    .option("--raw-table <name>", "table that the rows come from")
    .option("--summary-table <name>", "table that is made anew")
    .option("--no-validate", "write the result without judging it")
    .option("--cleanup", "drop raw and its aggregates afterwards")
    .option("--timeout <seconds>", "how long to wait at most", seconds, TIMEOUT_SECONDS)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((name: string, options: RebuildOptions) =>
    runCommand(options, (signal) => rebuild(name, options, signal)),
  );
}

async function rebuild(name: string, options: RebuildOptions, signal: AbortSignal): Promise<CommandResult> {
  const dataset = chosenDatasets(name)[0]!;
  requireTables(dataset, options);
  const { from, to } = rangeOf(options);
  if (options.cleanup && options.environment !== CLEANUP_ENVIRONMENT) {
    throw new CommandError(EXIT.usage, `--cleanup drops tables: it is refused in environment ${options.environment}`, {
      fix: `Say --environment ${CLEANUP_ENVIRONMENT} where that is what this lake is for`,
    });
  }
  const lake = findLake(options);
  const giveUpAt = Date.now() + options.timeout * 1000;
  const request = { dataset: dataset.name, from, to, validate: options.validate };
  const report = (await askService(lake, "aggregator.rebuild", request, options.timeout * 1000)) as RebuildReport;
  const isRight = report.validation?.ok !== false;
  const settled = isRight && (await waitSettled(requireAddress(lake, "query"), giveUpAt, signal));
  const dropped = settled && options.cleanup ? await dropTables(lake, dataset) : [];
  const json = { dataset: dataset.name, from: from ?? null, to: to ?? null, settled, report, dropped };
  return { exitCode: settled ? EXIT.done : EXIT.no, json, text: textOf(dataset, report, settled, dropped) };
}

function rangeOf({ date: only, from, to }: RebuildOptions): { from: string | undefined; to: string | undefined } {
  if (only === undefined) {
    if (from !== undefined && to !== undefined && from > to)
      throw new CommandError(EXIT.usage, `--from ${from} is after --to ${to}`);
    return { from, to };
  }
  if (from === undefined && to === undefined) return { from: only, to: only };
  throw new CommandError(EXIT.usage, "--date names one day: give it, or --from and --to");
}

/** A lake's tables have the names that its services were started with. */
function requireTables(dataset: Dataset, { database, rawTable, summaryTable }: RebuildOptions): void {
  const summaries = dataset.rollups.map((rollup) => rollup.table.name);
  const named: readonly (readonly [string, string | undefined, readonly string[]])[] = [
    ["--database", database, [dataset.namespace]],
    ["--raw-table", rawTable, [dataset.raw.name]],
    ["--summary-table", summaryTable, summaries],
  ];
  for (const [option, value, known] of named) {
    if (value === undefined || known.includes(value)) continue;
    throw new CommandError(EXIT.usage, `${option} ${value}: the lake ${dataset.name} has ${known.join(", ")}`, {
      fix: "Names of tables are settings of the lake's services, which this command has to have too",
    });
  }
}

/** Raw first: while it is there, a summary that is gone is made anew from it. */
async function dropTables(lake: Lake, dataset: Dataset): Promise<string[]> {
  const { catalog } = await openLake(lake);
  const dropped: string[] = [];
  for (const table of [dataset.raw, ...dataset.rollups.map((rollup) => rollup.table)]) {
    try {
      await catalog.dropTable(definedIdentifier(table), { purge: true });
      dropped.push(fullName(table));
    } catch (error) {
      if (!isLakeError(error, "not_found")) throw error;
    }
  }
  return dropped;
}

function textOf(dataset: Dataset, report: RebuildReport, settled: boolean, dropped: readonly string[]): string {
  const { windows, rows, validation } = report;
  if (validation?.ok === false)
    return ["refused: the tables stay as they were", ...validation.rollups.flatMap(validationLines)].join("\n");
  const lines = [
    `${windows} windows computed anew, ${rows} rows published; ${settled ? "settled" : "not settled in time"}`,
    ...(validation?.rollups ?? []).flatMap(validationLines),
  ];
  if (dropped.length > 0)
    lines.push(`dropped ${dropped.join(", ")}; firn resume ${dataset.name} --accept-loss makes them anew`);
  return lines.join("\n");
}

function validationLines(validation: RollupValidation): string[] {
  const number = (value: number) => value.toLocaleString("en-US", { maximumFractionDigits: 2 });
  const factor = validation.reduction_factor === null ? "" : `, reduced ${number(validation.reduction_factor)} times`;
  const windows =
    validation.missing_windows + validation.unexpected_windows === 0
      ? []
      : [`  ${validation.missing_windows} windows missing, ${validation.unexpected_windows} that raw does not have`];
  const shown = (value: number | string) => (typeof value === "number" ? number(value) : value);
  return [
    `${validation.ok ? "ok  " : "FAIL"} ${validation.rollup}: ${number(validation.raw_rows)} rows of raw, ${number(validation.summary_rows)} rows${factor}`,
    ...windows,
    ...validation.totals.map(
      ({ column, raw, summary, ok }) =>
        `  ${ok ? "ok  " : "FAIL"} ${column}: raw ${shown(raw)}, summary ${shown(summary)}`,
    ),
  ];
}

async function waitSettled(queryUrl: string, giveUpAt: number, signal: AbortSignal): Promise<boolean> {
  const client = lakeQuery(queryUrl, { retry: { attemptsMax: 3 } });
  for (;;) {
    const leftMs = Math.max(0, giveUpAt - Date.now());
    const { settled, parked } = await client.pipeline({ waitMs: Math.min(WAIT_STEP_MS, leftMs), signal });
    if (settled || parked.length > 0 || leftMs === 0 || signal.aborted) return settled;
  }
}
