import { join } from "node:path";

import { Command } from "commander";

import { runCommand, type CommandResult } from "../command.ts";
import { findLake, requireAddress, withLakeOptions, type LakeOptions } from "../lake-location.ts";
import { chosenDatasets } from "../lake-tables.ts";
import { names, wholeNumber } from "../option-values.ts";
import { partOf, startProgress } from "../progress.ts";
import { CommandError, EXIT } from "../exit-code.ts";
import { openInputFile, type InputFile } from "./input-file.ts";
import { openSource } from "./open-source.ts";
import type { ReplayKind } from "./payload-line.ts";
import { replayFile, type FileReport } from "./replay-file.ts";
import { ResumeState, type ReplayIdentity } from "./resume-state.ts";

interface ReplayOptions extends LakeOptions {
  readonly lake: string;
  readonly user?: string;
  readonly device?: string;
  readonly timezone?: string;
  readonly preferSource?: readonly string[];
  readonly concurrency: number;
  readonly state?: string;
  readonly resume: boolean;
}

/** The lake whose files have kinds of their own. */
export const LAKE = "health";
const CONCURRENCY = 4;
const CONCURRENCY_MAX = 64;

const HELP = `
Kinds of file, known by their first bytes; each may be gzipped (.gz)
  Fitbit CSV        hourlySteps, hourlyCalories, heartrateSeconds, sleepDay, weightLogInfo.
                    The column Id is the user; times are local, in America/New_York unless
                    --timezone says otherwise.
  Apple Health      export.xml of any size, in bounded memory. It names no person: --user is
                    required. A record has no id: its sample id is the hash of type, source, version,
                    start, end and occurrence, so that the next export repeats the same ids.
                    Records inside <Correlation> count once; workouts, activity summaries and ECG
                    are counted and reported as skipped.
  NDJSON            one payload a line, sent as it is; --lake says to which lake.

What comes twice is a counted duplicate, so a file may be replayed at any time. An interrupted
replay goes on from where it stopped when the same command is run again.

Examples
  firn replay samples/health/hourlySteps.csv.gz
  firn replay apple_health_export/export.xml --user anna --timezone Europe/Berlin
  firn replay export.xml --user anna --prefer-source "Anna's Watch,Anna's iPhone"
  firn replay payloads.ndjson --json
  firn replay transactions.ndjson --lake sales

Exit codes: 0 all accepted, 1 some refused (or the file is damaged), 2 wrong usage,
3 ingest does not answer or the replay was stopped.`;

export function replayCommand(): Command {
  const command = new Command("replay")
    .summary("send files through the ingest API")
    .description("Sends files of samples through the ingest API, with a progress bar, and goes on where it stopped.")
    .argument("<files...>", "files to send, in this order")
    .option("--lake <name>", "the lake that NDJSON is sent to; the other kinds are of health", LAKE)
    .option("--user <id>", "the person that the samples are of (required for Apple Health)")
    .option("--device <id>", "the device that they are from")
    .option("--timezone <zone>", "IANA zone of times that name none")
    .option(
      "--prefer-source <names>",
      "Apple Health: sources by comma, best first; overlaps of others are left out",
      names,
    )
    .option("--concurrency <n>", "requests under way at once", wholeNumber(CONCURRENCY_MAX), CONCURRENCY)
    .option("--state <file>", "where to keep how far it came (one file to replay); default DIR/replay/")
    .option("--no-resume", "begin at the beginning, whatever was sent before")
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((files: string[], options: ReplayOptions) =>
    runCommand(options, (signal) => replay(files, options, signal)),
  );
}

async function replay(paths: readonly string[], options: ReplayOptions, signal: AbortSignal): Promise<CommandResult> {
  const given = options.preferSource === undefined ? options : { ...options, preferSources: options.preferSource };
  const dataset = chosenDatasets(options.lake)[0]!;
  const inputs: { file: InputFile; source: ReturnType<typeof openSource> }[] = [];
  for (const path of paths) {
    const file = await openInputFile(path);
    inputs.push({ file, source: openSource(file, given, dataset.payload.records) });
    requireKind(path, inputs.at(-1)!.source.kind, dataset.name);
  }
  const lake = findLake(options);
  const ingestUrl = requireAddress(lake, "ingest");
  const reports: FileReport[] = [];
  const target = { ingestUrl, dataset: dataset.name, concurrency: options.concurrency, signal };
  const bytes = inputs.reduce((sum, { file }) => sum + file.bytes, 0);
  const progress = startProgress("replay", bytes);
  let before = 0;
  try {
    for (const { file, source } of inputs) {
      const resuming = resumingOf(file, options, ingestUrl, lake.dataDir);
      reports.push(await replayFile(file, source, target, partOf(progress, before), resuming));
      before += file.bytes;
    }
  } finally {
    progress.end();
  }
  return resultOf(reports);
}

/** @throws CommandError (usage) for samples of people that shall go to another lake than theirs */
export function requireKind(path: string, kind: ReplayKind, lake: string): void {
  if (kind === "ndjson" || lake === LAKE) return;
  throw new CommandError(EXIT.usage, `${path} is a file of ${kind}: only NDJSON goes to the lake ${lake}`);
}

function resumingOf(file: InputFile, options: ReplayOptions, ingestUrl: string, dataDir: string | undefined) {
  const { lake, user, device, timezone, preferSource } = options;
  const identity: ReplayIdentity = {
    fileIdentity: file.identity,
    ingestUrl,
    options: { lake: lake === LAKE ? undefined : lake, user, device, timezone, preferSource },
  };
  if (options.state !== undefined) return begun(new ResumeState(options.state), identity, options.resume);
  if (dataDir === undefined) return undefined;
  return begun(ResumeState.within(join(dataDir, "replay"), identity), identity, options.resume);
}

function begun(state: ResumeState, identity: ReplayIdentity, resume: boolean) {
  if (!resume) state.clear();
  return { state, identity };
}

function resultOf(reports: readonly FileReport[]): CommandResult {
  const sum = (of: (report: FileReport) => number) => reports.reduce((total, report) => total + of(report), 0);
  const refused = reports.flatMap((report) => report.refused.map((each) => ({ file: report.file, ...each })));
  const damaged = reports.some((report) => report.problems.length > 0);
  return {
    exitCode: refused.length > 0 || damaged ? EXIT.no : EXIT.done,
    json: {
      samples: sum((report) => report.samples),
      payloads: sum((report) => report.payloads),
      refused,
      seconds: sum((report) => report.seconds),
      files: reports,
    },
    text: reports.flatMap(reportLines).join("\n"),
  };
}

const REFUSALS_SHOWN = 20;

function reportLines(report: FileReport): string[] {
  const number = (value: number) => value.toLocaleString("en-US");
  const rate = report.seconds > 0 ? `, ${number(Math.round(report.samples / report.seconds))} a second` : "";
  return [
    `${report.file}: ${number(report.samples)} samples in ${number(report.payloads)} payloads${rate}`,
    ...Object.entries(report.skipped).map(([what, count]) => `  skipped ${number(count)}: ${what}`),
    ...report.problems.map((problem) => `  ${problem}`),
    ...report.refused.slice(0, REFUSALS_SHOWN).map((each) => `  refused at ${each.position}: ${each.detail}`),
    ...(report.refused.length > REFUSALS_SHOWN ? [`  … ${report.refused.length} refused in all`] : []),
  ];
}
