import { ClientError } from "@firn/client";
import { datasets } from "@firn/datasets";
import { MarketSender } from "@firn/feeds";
import { Command, Option } from "commander";

import { lakeIngest } from "../lake-clients.ts";
import { runCommand, type CommandResult } from "../command.ts";
import { CommandError, EXIT } from "../exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type Lake, type LakeOptions } from "../lake-location.ts";
import { seconds } from "../option-values.ts";
import { startProgress } from "../progress.ts";
import { withRelations } from "../relations.ts";
import { openInputFile } from "../replay/input-file.ts";
import { waitSettled } from "../wait-settled.ts";
import { recordsCommand } from "./import-records.ts";
import { importPrices, type ImportReport, type Market } from "./import-prices.ts";

const PRICES_HELP = `
The first line names the columns: ticker,trade_date,close,adj_close,volume. Fields may be quoted, line
ends may be LF, CRLF or CR, a byte order mark is fine, the file may be gzipped. An empty field is no
value. Of rows with the same ticker and date the last wins; a day that is stored already with the same
values counts as a duplicate, with others as a correction. Unknown tickers get a row in tb_meta.
Returns are computed when the rows are stored.

Examples
  firn import prices samples/market/us-prices.csv.gz --market us
  firn import prices kospi.csv --market kr --json

Exit codes: 0 every row is stored, 1 rows were bad (the good ones are stored), 2 wrong usage or another
header, 3 ingest or the database does not answer.`;

interface PricesOptions extends LakeOptions {
  readonly market: Market;
  readonly wait: boolean;
  readonly timeout: number;
}

export function importCommand(): Command {
  const command = new Command("import").summary("rows of CSV files into a lake").addCommand(pricesCommand());
  for (const dataset of datasets.values()) if (dataset.payload.csv) command.addCommand(recordsCommand(dataset));
  return command;
}

function pricesCommand(): Command {
  const command = new Command("prices")
    .summary("daily prices from a CSV file")
    .description("Sends the daily prices of a CSV file through ingest and waits until they are in the table.")
    .argument("<file>", "file to import")
    .addOption(
      new Option("--market <market>", "market that the tickers are of").choices(["us", "kr"]).makeOptionMandatory(),
    )
    .option("--no-wait", "do not wait until the rows are in the table")
    .option("--timeout <seconds>", "how long to wait for that at most", seconds, 600)
    .addHelpText("after", PRICES_HELP);
  return withLakeOptions(command).action((file: string, options: PricesOptions) =>
    runCommand(options, (signal) => prices(file, options, signal)),
  );
}

async function prices(path: string, options: PricesOptions, signal: AbortSignal): Promise<CommandResult> {
  const file = await openInputFile(path);
  const lake = findLake(options);
  const ingestUrl = requireAddress(lake, "ingest");
  const progress = startProgress("import", file.bytes);
  const client = lakeIngest(ingestUrl, {
    gzipFromBytes: 64 * 1024,
    retry: { attemptsMax: 20 },
    onRetry: ({ error }) => progress.say(`waiting: ${error.message}`),
  });
  const sender = new MarketSender(client, "import prices");
  const report = await withRelations(lake, (database) =>
    importPrices(file, { market: options.market, sender, database, progress, signal }),
  )
    .catch((error: unknown) => {
      throw error instanceof ClientError ? ingestBroken(ingestUrl, error) : error;
    })
    .finally(() => progress.end());
  const settled = options.wait ? await untilStored(lake, options.timeout * 1000, signal) : null;
  return {
    exitCode: report.bad_count > 0 ? EXIT.no : EXIT.done,
    json: { ...report, settled },
    text: reportText(report, settled),
  };
}

function ingestBroken(ingestUrl: string, error: ClientError): CommandError {
  return new CommandError(EXIT.broken, `ingest at ${ingestUrl} does not take rows: ${error.message}`, {
    fix: "Run the same command again when it does: what is stored already counts as a duplicate",
    cause: error,
  });
}

/** @throws CommandError when the rows are accepted and still not in the table */
async function untilStored(lake: Lake, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const pipeline = await waitSettled(requireAddress(lake, "query"), { timeoutMs, signal });
  if (pipeline.settled) return true;
  const parked = pipeline.parked.map(({ stage, shard, reason }) => `${stage} ${shard} is parked: ${reason}`);
  const why = parked.length > 0 ? parked.join("; ") : "the lake is still at work";
  throw new CommandError(EXIT.broken, `all rows are accepted, but not all are in the table: ${why}`, {
    fix: "firn status --wait tells when they are",
  });
}

const BAD_SHOWN = 20;

function reportText(report: ImportReport, settled: boolean | null): string {
  const number = (value: number) => value.toLocaleString("en-US");
  const { accepted, bad, bad_count, records, table, tickers, tickers_added: added } = report;
  const where = settled === null ? `on their way to ${table}` : `stored in ${table}`;
  return [
    `${report.file}: ${number(records)} rows of ${number(tickers)} tickers, ${number(accepted)} ${where}`,
    ...(added.length > 0
      ? [`  new in tb_meta: ${added.slice(0, 40).join(", ")}${added.length > 40 ? ", …" : ""}`]
      : []),
    ...bad
      .slice(0, BAD_SHOWN)
      .map(({ line, field, message }) => `  line ${line}: ${field === "record" ? "the row " : ""}${message}`),
    ...(bad_count > BAD_SHOWN ? [`  … ${number(bad_count)} bad rows in all`] : []),
  ].join("\n");
}
