import { join } from "node:path";

import type { PipelineStatus } from "@firn/client";
import type { Dataset } from "@firn/core";
import type { Catalog } from "@firn/lake";
import { openCatalog } from "@firn/lake/catalog";

import type { StandaloneConfig } from "./config.ts";
import { lockDataDir } from "./data-dir-lock.ts";
import { endpointsOf, readEndpoints } from "./endpoints-file.ts";
import { countsOf, tableRows, waitSettled } from "./lake-state.ts";
import { formatAddresses, formatReport, sampleQuestions, type LakeState, type TableRows } from "./report.ts";
import { withOwnToken } from "./own-token.ts";
import { findSamples, loadSample, type Sample } from "./sample-load.ts";
import { APPS_FOLDER } from "./service-process.ts";
import { Standalone } from "./standalone.ts";

const SAMPLES_FOLDER = join(APPS_FOLDER, "..", "samples");
const BASELINE_LIMIT_MS = 120_000;
const SETTLE_LIMIT_MS = 600_000;
/** npm hands on a Ctrl-C that the terminal has sent already: only a later one means "now". */
const SAME_SIGNAL_MS = 1_000;

/** Starts everything, loads the sample, and stays until it is told to end. Returns the exit code. */
export async function runStandalone(asked: StandaloneConfig): Promise<number> {
  const lock = lockDataDir(asked.dataDir);
  if (lock === undefined) {
    process.stderr.write(runsAlready(asked.dataDir));
    return 1;
  }
  const config = withOwnToken(asked);
  const standalone = new Standalone(config, {
    appsFolder: APPS_FOLDER,
    natsBinary: config.environment["NATS_SERVER_BIN"] || "nats-server",
    say: (line) => void process.stderr.write(`firn: ${line}\n`),
  });
  const ending = endOnSignal(() => standalone.kill());
  try {
    await standalone.clean();
    const stop = () => void standalone.stop();
    ending.addEventListener("abort", stop);
    await standalone.start().catch((error: unknown) => {
      if (!ending.aborted) throw error;
    });
    return ending.aborted ? 0 : await serve(config, standalone, ending);
  } finally {
    await standalone.stop();
    lock.release();
  }
}

async function serve(config: StandaloneConfig, standalone: Standalone, ending: AbortSignal): Promise<number> {
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  print(`firn runs on ${config.dataDir} (process ${process.pid}, logs in ${join(config.dataDir, "logs")})`);
  const loaded = config.sample ? await loadAndReport(config, standalone, ending, print) : true;
  if (ending.aborted) return 0;
  print(`\nAddresses\n${formatAddresses(standalone.endpoints.addresses())}`);
  if (config.once) return loaded ? 0 : 1;
  print("\nCtrl-C ends it.");
  await new Promise((resolve) => ending.addEventListener("abort", resolve));
  process.stderr.write("firn: draining\n");
  return 0;
}

/** False when the sample did not end in the tables as it should. */
async function loadAndReport(
  config: StandaloneConfig,
  standalone: Standalone,
  ending: AbortSignal,
  print: (text: string) => void,
): Promise<boolean> {
  const { ingest, query, catalog: catalogUri } = endpointsOf(config);
  if (!ingest || !query || !catalogUri || !config.only.includes("ingest") || !config.only.includes("query"))
    return true;
  const token = config.environment["FIRN_TOKEN"];
  const samples = findSamples(SAMPLES_FOLDER).filter((sample) => canSend(sample, config, standalone));
  if (samples.length === 0) return true;
  const lakes = samples.map((sample) => config.datasets.get(sample.lake)!);
  const catalog = openCatalog({ ...config.access, catalogUri });
  const state = async (pipeline: PipelineStatus): Promise<LakeState[]> =>
    Promise.all(
      lakes.map(async (lake) => ({ counts: countsOf(pipeline, lake.name), rows: await allRows(catalog, lake) })),
    );
  const pipelineBefore = await waitSettled({ query, token }, BASELINE_LIMIT_MS, ending);
  if (pipelineBefore === undefined) throw new Error(`query does not answer; its log is ${standalone.logPath("query")}`);
  const before = await state(pipelineBefore);
  const startedMs = Date.now();
  await sendSamples(samples, config, standalone, ingest, ending);
  if (!ending.aborted) process.stderr.write("firn: waiting until every aggregate equals raw\n");
  const pipelineAfter = await waitSettled({ query, token }, SETTLE_LIMIT_MS, ending);
  if (ending.aborted || pipelineAfter === undefined) return ending.aborted;
  const seconds = (Date.now() - startedMs) / 1000;
  const after = await state(pipelineAfter);
  const reports = lakes.map(({ name }, at) => ({ lake: name, before: before[at]!, after: after[at]! }));
  const questions = sampleQuestions(
    query,
    samples.flatMap((sample) => sample.questions),
  );
  print(`\n${formatReport(reports, seconds)}\n\nQuestions to copy\n${questions.join("\n")}`);
  return reportUnsettled(pipelineAfter);
}

function canSend({ lake, needsDatabase }: Sample, config: StandaloneConfig, { endpoints }: Standalone): boolean {
  return config.datasets.has(lake) && (!needsDatabase || Boolean(endpoints.addresses()["database"]));
}

async function sendSamples(
  samples: readonly Sample[],
  config: StandaloneConfig,
  { endpoints, ledger }: Standalone,
  ingestUrl: string,
  signal: AbortSignal,
): Promise<void> {
  const databaseUrl = endpoints.addresses()["database"] ?? undefined;
  for (const sample of samples) {
    if (signal.aborted) return;
    process.stderr.write(`firn: sending the ${sample.lake} sample (${join(SAMPLES_FOLDER, sample.lake)})\n`);
    const places = {
      appsFolder: APPS_FOLDER,
      samplesFolder: SAMPLES_FOLDER,
      dataDir: config.dataDir,
      environment: config.environment,
    };
    await loadSample(sample, { ...places, ingestUrl, databaseUrl, ledger, signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

function reportUnsettled(state: PipelineStatus): boolean {
  for (const { stage, shard, reason, fix } of state.parked) {
    process.stderr.write(`firn: ${stage} shard ${shard} is parked: ${reason}. ${fix}\n`);
  }
  if (!state.settled) process.stderr.write(`firn: not settled, messages waiting: ${JSON.stringify(state.lag)}\n`);
  return state.settled;
}

async function allRows(catalog: Catalog, { raw, errors, rollups }: Dataset): Promise<TableRows> {
  const tables = [
    ["raw", raw],
    ["errors", errors],
    ...rollups.map(({ name, table }) => [name, table] as const),
  ] as const;
  const rows = tables.map(async ([label, table]) => [label, await tableRows(catalog, table)] as const);
  return new Map(await Promise.all(rows));
}

function runsAlready(dataDir: string): string {
  const endpoints = readEndpoints(dataDir);
  const where = endpoints === undefined ? "  it is starting or ending just now\n" : `${formatAddresses(endpoints)}\n`;
  return `firn: runs already on ${dataDir}\n${where}`;
}

/** Aborts at the first signal; a second one, a second later or more, no longer waits for work in flight. */
function endOnSignal(endAtOnce: () => void): AbortSignal {
  const ending = new AbortController();
  let firstMs = 0;
  const end = () => {
    if (ending.signal.aborted && Date.now() - firstMs > SAME_SIGNAL_MS) endAtOnce();
    if (!ending.signal.aborted) firstMs = Date.now();
    ending.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, end);
  return ending.signal;
}
