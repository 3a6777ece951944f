import { ClientError } from "@firn/client";
import { recordTablesOf, type RecordTable } from "@firn/core";
import { MarketSender } from "@firn/feeds";
import { openKernel } from "@firn/lake";
import type { RelationalDatabase } from "@firn/relational";
import { Command } from "commander";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { lakeIngest } from "../lake-clients.ts";
import { runCommand, type CommandResult } from "../command.ts";
import { CommandError, EXIT } from "../exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type Lake, type LakeOptions } from "../lake-location.ts";
import { chosenDatasets, openLake } from "../lake-tables.ts";
import { seconds, wholeNumber } from "../option-values.ts";
import { withRelations } from "../relations.ts";
import { waitSettled } from "../wait-settled.ts";
import { compareTables, type CompareParts, type Comparison } from "./compare-tables.ts";
import { copyTable } from "./copy-table.ts";
import { MigrateState } from "./migrate-state.ts";
import { MIGRATED, planSources, type SourceTable } from "./source-table.ts";

const BATCH_SIZE = 100_000;
const BATCH_SIZE_MAX = 1_000_000;
const TIMEOUT_SECONDS = 3_600;
const MEMORY_MB = 512;

const HELP = `
Tables: ${Object.keys(MIGRATED).join(", ")} (tb_price is split by tb_meta.iso_code). They
are read from PostgreSQL (DATABASE_URL, else the lake's own) page by page behind the last key, sent
through ingest, and compared with the Iceberg table by counts and checksums of every month; rows that
are missing or differ are sent again. What was stopped goes on from where it was; nothing is stored
twice. Times without a zone are UTC. gross_return is computed by the lake, not copied. A row of the
table that the source has not is told, never removed.

Examples
  firn migrate --table us_stocks_price --database market_data --batch-size 100000
  DATABASE_URL=postgres://reader@db.example/invest firn migrate --table tb_price
  firn migrate --verify-only

Exit codes: 0 the rows are in the table, 1 they are not (with --verify-only: the two differ, or there
is no such table), 2 wrong usage, 3 the database, ingest or the catalog does not answer, or it was stopped.`;

interface MigrateOptions extends LakeOptions {
  readonly table?: string;
  readonly database?: string;
  readonly batchSize: number;
  readonly verifyOnly?: boolean;
  readonly timeout: number;
}

export function migrateCommand(): Command {
  const command = new Command("migrate")
    .summary("tables from PostgreSQL into Iceberg")
    .description("Moves a time series table of PostgreSQL into its Iceberg table, and proves that it is there.")
    .option("--table <name>", "table to migrate; with --verify-only absent for all")
    .option("--database <namespace>", "namespace of the Iceberg table; default: the table's own")
    .option("--batch-size <rows>", "rows of one page", wholeNumber(BATCH_SIZE_MAX), BATCH_SIZE)
    .option("--verify-only", "only compare; change nothing")
    .option("--timeout <seconds>", "how long to wait until accepted rows are stored", seconds, TIMEOUT_SECONDS)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((options: MigrateOptions) =>
    runCommand(options, (signal) => migrate(options, signal)),
  );
}

async function migrate(options: MigrateOptions, signal: AbortSignal): Promise<CommandResult> {
  const names = namesOf(options);
  const tables = recordTablesOf(chosenDatasets("market")[0]!);
  checkNamespace(options, names, tables);
  const lake = findLake(options);
  return withRelations(lake, async (database) => {
    const sources: SourceTable[] = [];
    for (const name of names) {
      const planned = await planSources(database, name, tables);
      if (planned !== undefined) sources.push(...planned);
      else if (options.table !== undefined) throw new CommandError(EXIT.no, `the database has no table ${name}`);
    }
    if (sources.length === 0) throw new CommandError(EXIT.no, `the database has none of ${names.join(", ")}`);
    return withKernel(lake, database, async (parts) => {
      const reports: MigrateReport[] = [];
      for (const source of sources) {
        reports.push(
          options.verifyOnly
            ? { sent: 0, repaired: 0, comparison: (await compareTables(source, parts)).comparison }
            : await migrateTable(source, parts, lake, options, signal),
        );
      }
      return resultOf(reports, sources, options.verifyOnly === true);
    });
  });
}

interface MigrateReport {
  readonly sent: number;
  readonly repaired: number;
  readonly comparison: Comparison;
}

async function migrateTable(
  source: SourceTable,
  parts: CompareParts,
  lake: Lake,
  options: MigrateOptions,
  signal: AbortSignal,
): Promise<MigrateReport> {
  const { database } = parts;
  const ingestUrl = requireAddress(lake, "ingest");
  const { host, pathname } = new URL(requireAddress(lake, "database"));
  const table = source.target.definition.name;
  const identity = [host, pathname, source.name, table, source.key.join(), ingestUrl];
  const state = lake.dataDir === undefined ? undefined : new MigrateState(join(lake.dataDir, "migrate"), identity);
  const client = lakeIngest(ingestUrl, { gzipFromBytes: 64 * 1024, retry: { attemptsMax: 20 } });
  const sender = new MarketSender(client, `migrate ${source.name}`);
  try {
    const sent = await copyTable(source, { database, sender, batchSize: options.batchSize, state, signal });
    await untilStored(lake, options, signal);
    const first = await compareTables(source, parts);
    state?.clear();
    if (first.rows.length === 0) return { sent, repaired: 0, comparison: first.comparison };
    await sender.send(table, first.rows, signal);
    await untilStored(lake, options, signal);
    const { comparison } = await compareTables(source, parts);
    return { sent, repaired: first.rows.length, comparison };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new CommandError(EXIT.broken, `ingest at ${ingestUrl} does not take rows: ${error.message}`, {
      fix: "Run the same command again when it does: it goes on from where it stopped",
      cause: error,
    });
  }
}

async function untilStored(lake: Lake, { timeout }: MigrateOptions, signal: AbortSignal): Promise<void> {
  const pipeline = await waitSettled(requireAddress(lake, "query"), { timeoutMs: timeout * 1000, signal });
  if (pipeline.settled) return;
  const parked = pipeline.parked.map(({ stage, shard, reason }) => `${stage} ${shard} is parked: ${reason}`);
  const why = parked.length > 0 ? parked.join("; ") : `not settled in ${timeout} s`;
  throw new CommandError(EXIT.broken, `rows are accepted but not all are in the table: ${why}`);
}

async function withKernel<T>(
  lake: Lake,
  database: RelationalDatabase,
  work: (parts: CompareParts) => Promise<T>,
): Promise<T> {
  const env = await openLake(lake);
  const tempDir = await mkdtemp(join(tmpdir(), "firn-migrate-"));
  const kernel = await openKernel({ memoryLimitMb: MEMORY_MB, threads: 1, tempDir });
  const connection = await kernel.connect();
  try {
    return await work({ database, env, connection });
  } finally {
    connection.close();
    kernel.close();
    await rm(tempDir, { recursive: true, force: true });
  }
}

function namesOf({ table, verifyOnly }: MigrateOptions): readonly string[] {
  const all = Object.keys(MIGRATED);
  if (table === undefined) {
    if (verifyOnly) return all;
    throw new CommandError(EXIT.usage, "--table is missing", { fix: `There are: ${all.join(", ")}` });
  }
  if (all.includes(table)) return [table];
  throw new CommandError(EXIT.usage, `--table ${table}: there is no such table`, {
    fix: `There are: ${all.join(", ")}`,
  });
}

function checkNamespace({ database }: MigrateOptions, names: readonly string[], tables: readonly RecordTable[]): void {
  if (database === undefined) return;
  for (const { target } of names.flatMap((name) => MIGRATED[name] ?? [])) {
    const { namespace } = tables.find(({ definition }) => definition.name === target)!.definition;
    if (namespace !== database) {
      throw new CommandError(EXIT.usage, `--database ${database}: ${target} is in the namespace ${namespace}`);
    }
  }
}

function resultOf(
  reports: readonly MigrateReport[],
  sources: readonly SourceTable[],
  verifyOnly: boolean,
): CommandResult {
  const isGood = ({ comparison }: MigrateReport) =>
    comparison.missing === 0 && comparison.different === 0 && (!verifyOnly || comparison.extra === 0);
  const ok = reports.every(isGood);
  return {
    exitCode: ok ? EXIT.done : EXIT.no,
    json: { ok, tables: reports.map(({ sent, repaired, comparison }) => ({ ...comparison, sent, repaired })) },
    text: reports.flatMap((report, at) => reportLines(report, sources[at]!, isGood(report))).join("\n"),
  };
}

function reportLines({ comparison, repaired, sent }: MigrateReport, source: SourceTable, ok: boolean): string[] {
  const number = (value: number) => value.toLocaleString("en-US");
  const { different, examples, extra, missing, source_rows, table, table_rows } = comparison;
  return [
    `${ok ? "ok  " : "FAIL"} ${source.name} → ${table}: ${number(source_rows)} rows in PostgreSQL, ${number(table_rows)} in the table` +
      `, checksums ${comparison.checksums_equal ? "equal" : "differ"}`,
    ...(sent > 0 ? [`     ${number(sent)} rows sent${repaired > 0 ? `, ${number(repaired)} sent again` : ""}`] : []),
    ...(missing + different + extra > 0
      ? [`     ${number(missing)} missing, ${number(different)} different, ${number(extra)} only in the table`]
      : []),
    ...examples.map((example) => `     ${example}`),
    ...(missing + different > 0 && !ok ? ["     rows that the lake refuses are in firn errors"] : []),
    ...(source.left.length > 0 ? [`     columns without a place in the table: ${source.left.join(", ")}`] : []),
    ...(source.isIndexed ? [] : [`     no unique index on ${source.key.join(", ")}: every page sorts the table`]),
  ];
}
