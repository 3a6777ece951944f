import type { PipelineStatus } from "@firn/client";
import { Command } from "commander";

import { runCommand, type CommandResult } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type Lake, type LakeOptions } from "./lake-location.ts";
import { seconds } from "./option-values.ts";
import { formatTable } from "./text-table.ts";
import { waitSettled } from "./wait-settled.ts";

interface StatusOptions extends LakeOptions {
  readonly wait?: boolean;
  readonly timeout: number;
}

const TIMEOUT_SECONDS = 600;
const READY_LIMIT_MS = 3_000;
const SERVICES = ["ingest", "validator", "catalog-writer", "aggregator", "query", "catalog"] as const;

const HELP = `
Settled means: everything that ingest has acknowledged is in raw or errors, and every aggregate
equals raw. A parked stage has stopped on purpose and says why and how to go on.

Examples
  firn status
  firn status --wait --timeout 60 && firn verify
  firn status --json | jq .pipeline.lag

Exit codes: 0 all is well (with --wait: settled), 1 something is parked, away, or not settled in time,
2 wrong usage, 3 query does not answer.`;

export function statusCommand(): Command {
  const command = new Command("status")
    .summary("how far the pipeline is")
    .description(
      "Shows which services answer, how many messages wait, what is parked, and the exact counts of records.",
    )
    .option("--wait", "wait until settled")
    .option("--timeout <seconds>", "how long to wait at most", seconds, TIMEOUT_SECONDS)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((options: StatusOptions) =>
    runCommand(options, (signal) => status(options, signal)),
  );
}

async function status(options: StatusOptions, signal: AbortSignal): Promise<CommandResult> {
  const lake = findLake(options);
  const timeoutMs = options.wait ? options.timeout * 1000 : 0;
  const pipeline = await waitSettled(requireAddress(lake, "query"), { timeoutMs, signal });
  const services = await askServices(lake);
  const isWell =
    pipeline.parked.length === 0 && services.every(({ ready }) => ready) && (!options.wait || pipeline.settled);
  return {
    exitCode: isWell ? EXIT.done : EXIT.no,
    json: { pipeline, services },
    text: formatStatus(pipeline, services),
  };
}

interface ServiceState {
  readonly name: string;
  readonly url: string;
  readonly ready: boolean;
  readonly why: string | undefined;
}

async function askServices(lake: Lake): Promise<readonly ServiceState[]> {
  const known = SERVICES.flatMap((name) => {
    const url = lake.endpoints[name];
    return url === undefined ? [] : [{ name, url }];
  });
  return Promise.all(known.map(async ({ name, url }) => ({ name, url, ...(await askReady(url)) })));
}

async function askReady(url: string): Promise<{ readonly ready: boolean; readonly why: string | undefined }> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(READY_LIMIT_MS) });
    if (response.status === 200 || response.status === 404) return { ready: true, why: undefined };
    return { ready: false, why: (await response.text()).slice(0, 300) };
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    return { ready: false, why: cause?.code ?? message };
  }
}

function formatStatus(pipeline: PipelineStatus, services: readonly ServiceState[]): string {
  const counts = Object.entries(pipeline.datasets).map(([name, each]) => [
    name,
    each.received,
    each.stored,
    each.corrected,
    each.duplicates,
    each.rejected,
    each.deleted,
  ]);
  const { lag } = pipeline;
  return [
    `${pipeline.settled ? "settled" : "not settled"}; messages waiting: intake ${lag.intake}, accepted ${lag.accepted}, rejected ${lag.rejected}, rollup ${lag.rollup}`,
    ...pipeline.parked.map(({ stage, shard, reason, fix }) => `parked: ${stage}, shard ${shard}: ${reason}\n  ${fix}`),
    "",
    formatTable(["lake", "received", "stored", "corrected", "duplicates", "rejected", "deleted"], counts),
    "",
    formatTable(
      ["service", "address", "state"],
      services.map(({ name, url, ready, why }) => [name, url, ready ? "ready" : `not ready: ${why ?? ""}`]),
    ),
  ].join("\n");
}
