import { ClientError } from "@firn/client";
import { parseDate } from "@firn/core";
import { JOBS, JobSettingError, runJob, type JobName, type JobRange, type JobReport } from "@firn/feeds";
import { Argument, Command } from "commander";

import { runCommand, type CommandResult } from "./command.ts";
import { readConfig } from "./config.ts";
import { CommandError, EXIT } from "./exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type LakeOptions } from "./lake-location.ts";
import { date } from "./option-values.ts";
import { withRelations } from "./relations.ts";

const MS_PER_DAY = 86_400_000;

const HELP = `
us-price, kr-price   daily prices of the securities in tb_meta, from Yahoo (YAHOO_BASE_URL)
macro                the series of tb_macro and the exchange rate, from FRED (FRED_API_KEY, FRED_BASE_URL)
all                  the three, one after the other

Without dates each security goes on behind its last stored day. A day that is fetched twice is stored
once. A ticker or series that fails is reported, and the others are stored.

Examples
  firn ingest us-price --date 2024-01-05
  firn ingest macro --from 1990-01-01 --to 2024-12-31
  firn ingest all --json

Exit codes: 0 done, 1 something failed at a source, 2 wrong usage or a missing setting,
3 ingest, query or the database does not answer.`;

interface IngestOptions extends LakeOptions {
  readonly date?: string;
  readonly from?: string;
  readonly to?: string;
}

export function ingestJobCommand(): Command {
  const command = new Command("ingest")
    .summary("fetch prices and macro series now")
    .description("Runs a job that fetches from outside, as the schedule does.")
    .addArgument(new Argument("<job>", "what to fetch").choices([...JOBS, "all"]))
    .option("--date <date>", "one day, YYYY-MM-DD", date)
    .option("--from <date>", "first day", date)
    .option("--to <date>", "last day; default: today", date)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((job: JobName | "all", options: IngestOptions) =>
    runCommand(options, (signal) => ingest(job, options, signal)),
  );
}

async function ingest(job: JobName | "all", options: IngestOptions, signal: AbortSignal): Promise<CommandResult> {
  const range = rangeOf(options);
  const lake = findLake(options);
  const settings = {
    ...readConfig().sources,
    ingestUrl: requireAddress(lake, "ingest"),
    queryUrl: requireAddress(lake, "query"),
  };
  const reports: JobReport[] = [];
  await withRelations(lake, async (database) => {
    for (const name of job === "all" ? JOBS : [job]) {
      try {
        reports.push(await runJob(name, range, settings, { database, signal }));
      } catch (error) {
        if (error instanceof JobSettingError) throw new CommandError(EXIT.usage, error.message, { cause: error });
        if (error instanceof ClientError) throw new CommandError(EXIT.broken, error.message, { cause: error });
        throw error;
      }
    }
  });
  const failed = reports.some((report) => report.failed.length > 0);
  return { exitCode: failed ? EXIT.no : EXIT.done, json: reports, text: reports.flatMap(reportLines).join("\n") };
}

function rangeOf({ date: one, from, to }: IngestOptions): JobRange {
  if (one !== undefined && (from !== undefined || to !== undefined)) {
    throw new CommandError(EXIT.usage, "--date stands for --from and --to: give one or the other");
  }
  const last = one ?? to;
  const first = one ?? from;
  const range = {
    from: first === undefined ? undefined : parseDate(first)!,
    to: last === undefined ? Math.floor(Date.now() / MS_PER_DAY) : parseDate(last)!,
  };
  if (range.from !== undefined && range.from > range.to) {
    throw new CommandError(EXIT.usage, `--from ${first} is after --to ${last ?? "today"}`);
  }
  return range;
}

function reportLines({ failed, job, rows, subjects, up_to_date }: JobReport): string[] {
  const number = (value: number) => value.toLocaleString("en-US");
  return [
    `${job}: ${number(rows)} rows of ${number(subjects - failed.length - up_to_date)} of ${number(subjects)} accepted` +
      (up_to_date > 0 ? `, ${number(up_to_date)} up to date` : ""),
    ...failed.map(({ reason, subject }) => `  failed: ${subject}: ${reason}`),
  ];
}
