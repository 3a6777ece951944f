import { queryClient } from "@firn/client";
import { Command } from "commander";

import { askService } from "./ask-service.ts";
import { runCommand, type CommandResult } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type LakeOptions } from "./lake-location.ts";
import { chosenDatasets } from "./lake-tables.ts";
import { date, seconds } from "./option-values.ts";

interface RebuildOptions extends LakeOptions {
  readonly from?: string;
  readonly to?: string;
  readonly timeout: number;
}

const TIMEOUT_SECONDS = 3600;
const WAIT_STEP_MS = 5_000;

const HELP = `
The running aggregator computes every day, week and month that the range touches anew from raw; the
tables change only where a row was wrong. Ingest goes on meanwhile.

Examples
  firn rebuild health
  firn rebuild health --from 2026-01-01 --to 2026-03-31

Exit codes: 0 rebuilt and settled, 1 not settled in time, 2 wrong usage, 3 the aggregator does not answer.`;

export function rebuildCommand(): Command {
  const command = new Command("rebuild")
    .summary("make aggregates anew from raw")
    .description("Makes the daily, weekly and monthly rows of a lake anew from its raw table.")
    .argument("<lake>", "for example health")
    .option("--from <date>", "first local date, YYYY-MM-DD; without it from the beginning", date)
    .option("--to <date>", "last local date, inclusive; without it to the end", date)
    .option("--timeout <seconds>", "how long to wait at most", seconds, TIMEOUT_SECONDS)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((name: string, options: RebuildOptions) =>
    runCommand(options, (signal) => rebuild(name, options, signal)),
  );
}

async function rebuild(name: string, options: RebuildOptions, signal: AbortSignal): Promise<CommandResult> {
  const dataset = chosenDatasets(name)[0]?.name ?? name;
  const lake = findLake(options);
  const { from, to } = options;
  const giveUpAt = Date.now() + options.timeout * 1000;
  const report = await askService(lake, "aggregator.rebuild", { dataset, from, to }, options.timeout * 1000);
  const settled = await waitSettled(requireAddress(lake, "query"), giveUpAt, signal);
  const { windows, rows } = report as { windows?: number; rows?: number };
  const what = `${windows ?? "?"} windows computed anew, ${rows ?? "?"} rows published`;
  return {
    exitCode: settled ? EXIT.done : EXIT.no,
    json: { dataset, from: from ?? null, to: to ?? null, settled, report },
    text: `${what}; ${settled ? "settled" : "not settled in time"}`,
  };
}

async function waitSettled(queryUrl: string, giveUpAt: number, signal: AbortSignal): Promise<boolean> {
  const client = queryClient(queryUrl, { retry: { attemptsMax: 3 } });
  for (;;) {
    const leftMs = Math.max(0, giveUpAt - Date.now());
    const { settled, parked } = await client.pipeline({ waitMs: Math.min(WAIT_STEP_MS, leftMs), signal });
    if (settled || parked.length > 0 || leftMs === 0 || signal.aborted) return settled;
  }
}
