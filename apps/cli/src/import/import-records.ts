import { basename } from "node:path";

import type { Dataset, PayloadShape } from "@firn/core";
import { HeaderError } from "@firn/feeds";
import { Command } from "commander";

import { runCommand, type CommandResult } from "../command.ts";
import { CommandError, EXIT } from "../exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type LakeOptions } from "../lake-location.ts";
import { chosenDatasets, fullName } from "../lake-tables.ts";
import { seconds } from "../option-values.ts";
import { startProgress } from "../progress.ts";
import { openInputFile } from "../replay/input-file.ts";
import type { PayloadLine } from "../replay/payload-line.ts";
import { replayFile } from "../replay/replay-file.ts";
import { waitSettled } from "../wait-settled.ts";
import { recordCsv } from "./record-csv.ts";

interface RecordsOptions extends LakeOptions {
  readonly source?: string;
  readonly wait: boolean;
  readonly timeout: number;
}

/** A row that the lake refuses: it is sent all the same, and lies in its errors table with its bytes. */
interface BadRow {
  readonly line: number;
  readonly message: string;
}

const BAD_KEPT = 1_000;
const BAD_SHOWN = 20;

/** `firn import sales`: the records of a lake that has a plain form for them. */
export function recordsCommand({ name, payload }: Dataset): Command {
  const command = new Command(name)
    .summary(`${payload.records} from CSV files`)
    .description(`Sends the ${payload.records} of CSV files through ingest and waits until they are in the tables.`)
    .argument("<files...>", "files to import, in this order")
    .option("--source <name>", "what the rows are from; the file's name without it")
    .option("--no-wait", "do not wait until the rows are in the tables")
    .option("--timeout <seconds>", "how long to wait for that at most", seconds, 600)
    .addHelpText("after", helpOf(name, payload));
  return withLakeOptions(command).action((files: string[], options: RecordsOptions) =>
    runCommand(options, (signal) => importRecords(name, files, options, signal)),
  );
}

function helpOf(name: string, { csv, records }: PayloadShape): string {
  const names = (required: boolean) =>
    csv!.columns.filter((column) => column.required === required).map((column) => column.name);
  const optional = names(false);
  return `
The first line names the columns, in any order:
  ${names(true).join(", ")}
${optional.length === 0 ? "" : `and where there are some\n  ${optional.join(", ")}\n`}Fields may be quoted, line ends may be LF, CRLF or CR, a byte order mark is fine, the file may be
gzipped. One of the ${records} that comes again is a duplicate, with other values a correction. A bad row
is named by its line, and becomes a dead letter of the lake.

Examples
  firn import ${name} ${records}.csv
  firn import ${name} other.csv.gz --source other-7 --json

Exit codes: 0 every row is stored, 1 rows were bad (the good ones are stored), 2 wrong usage or another
header, 3 ingest does not answer.`;
}

async function importRecords(
  lakeName: string,
  paths: readonly string[],
  options: RecordsOptions,
  signal: AbortSignal,
): Promise<CommandResult> {
  const dataset = chosenDatasets(lakeName)[0]!;
  const inputs = await Promise.all(paths.map(openInputFile));
  const lake = findLake(options);
  const target = { ingestUrl: requireAddress(lake, "ingest"), dataset: dataset.name, concurrency: 1, signal };
  const progress = startProgress(
    "import",
    inputs.reduce((sum, file) => sum + file.bytes, 0),
  );
  const reports: FileResult[] = [];
  try {
    for (const file of inputs) {
      const bad: BadRow[] = [];
      const onPayload = (payload: PayloadLine, lines: readonly number[]) =>
        bad.push(...badRows(dataset, payload, lines));
      const from = options.source ?? basename(file.path);
      const source = recordCsv(file.chunks, { payload: dataset.payload, source: from, onPayload });
      const { samples: rows, problems, refused } = await replayFile(file, source, target, progress, undefined);
      const unsent = [...problems, ...refused.map(({ position, detail }) => `line ${position}: ${detail}`)];
      reports.push({ file: file.path, rows, bad_count: bad.length, bad: bad.slice(0, BAD_KEPT), unsent });
    }
  } catch (error) {
    throw error instanceof HeaderError ? new CommandError(EXIT.usage, error.message, { cause: error }) : error;
  } finally {
    progress.end();
  }
  const query = options.wait ? requireAddress(lake, "query") : undefined;
  const settled =
    query === undefined ? null : (await waitSettled(query, { timeoutMs: options.timeout * 1000, signal })).settled;
  const isWhole = reports.every(({ bad_count: count, unsent }) => count === 0 && unsent.length === 0);
  return {
    exitCode: settled === false ? EXIT.broken : isWhole ? EXIT.done : EXIT.no,
    json: { table: fullName(dataset.raw), settled, files: reports },
    text: reports.flatMap((report) => reportLines(report, fullName(dataset.raw), settled)).join("\n"),
  };
}

interface FileResult {
  readonly file: string;
  /** Accepted by ingest, the bad ones too. */
  readonly rows: number;
  readonly bad_count: number;
  readonly bad: readonly BadRow[];
  readonly unsent: readonly string[];
}

/** The lake's own rules, asked before the rows are sent, so that a bad one can be named by its line. */
function badRows(dataset: Dataset, { bytes }: PayloadLine, lines: readonly number[]): BadRow[] {
  const run = dataset.beginRun({ strict: true, defaultZone: "UTC" }, 0);
  const origin = { kind: "http" } as const;
  const payload = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown>;
  const member = dataset.payload.records;
  run.add({ bytes, encoding: "json", receivedAtUs: 0, origin, subject: "", shard: 0, sequence: 0 });
  const refused = run.finish().rejected;
  if (refused.length === 0) return [];
  return (payload[member] as unknown[]).flatMap((row, at) => {
    const one = dataset.beginRun({ strict: true, defaultZone: "UTC" }, 0);
    const single = Buffer.from(JSON.stringify({ ...payload, [member]: [row] }), "utf8");
    one.add({ bytes: single, encoding: "json", receivedAtUs: 0, origin, subject: "", shard: 0, sequence: 0 });
    return one.finish().rejected.map((letter) => ({ line: lines[at]!, message: letter.error_message }));
  });
}

function reportLines(
  { file, rows, bad, bad_count: count, unsent }: FileResult,
  table: string,
  settled: boolean | null,
): string[] {
  const number = (value: number) => value.toLocaleString("en-US");
  const where = settled === true ? "stored in" : "on their way to";
  return [
    `${file}: ${number(rows)} rows sent, ${number(rows - count)} ${where} ${table}`,
    ...unsent.slice(0, BAD_SHOWN).map((problem) => `  not sent: ${problem}`),
    ...bad.slice(0, BAD_SHOWN).map(({ line, message }) => `  line ${line}: ${message}`),
    ...(count > BAD_SHOWN ? [`  … ${number(count)} bad rows in all`] : []),
    ...(settled === false ? ["  accepted, but not all in the table yet: firn status --wait tells when"] : []),
  ];
}
