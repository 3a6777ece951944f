import type { ParkedStage } from "@firn/client";
import { resumeKey, type ResumeOrder } from "@firn/core";
import { connectStreams, STATE_BUCKET } from "@firn/stream";
import { Command } from "commander";
import { setTimeout as sleep } from "node:timers/promises";

import { lakeQuery } from "./lake-clients.ts";
import { runCommand, type CommandResult } from "./command.ts";
import { CommandError, EXIT } from "./exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type Lake, type LakeOptions } from "./lake-location.ts";
import { seconds, wholeNumber } from "./option-values.ts";

interface ResumeOptions extends LakeOptions {
  readonly from?: number;
  readonly acceptLoss?: boolean;
  readonly stage?: string;
  readonly timeout: number;
}

const CONNECT_LIMIT_MS = 5_000;
const TIMEOUT_SECONDS = 60;
const LOOK_AGAIN_MS = 500;

const HELP = `
A stage parks when its position and its stream do not fit: the stream was made anew, or ends before the
position. Nothing is skipped without this command. firn status shows what is parked, and why; where a
stream can be restored from a copy, that loses nothing.

SHARD is what firn status shows (health.0, health.accepted, health.rollup, kafka.TOPIC.0), its number, or
a lake's name for all of its parked stages (with --accept-loss only).
  --accept-loss  goes on with everything that the stream has now; what it lost is lost
  --from N       goes on with sequence N of the stream

Examples
  firn status
  firn resume health.accepted --accept-loss
  firn resume health --accept-loss
  firn resume health.2 --from 1042

Exit codes: 0 resumed, 1 nothing of that name is parked or it still is after the time, 2 wrong usage,
3 query or the broker does not answer.`;

export function resumeCommand(): Command {
  const command = new Command("resume")
    .summary("let a parked stage go on")
    .description("Decides how a parked stage goes on: from a sequence, or with what is left.")
    .argument("<shard>", "as firn status shows it")
    .option("--from <n>", "go on with this sequence of the stream", wholeNumber(Number.MAX_SAFE_INTEGER))
    .option("--accept-loss", "go on with what the stream has now")
    .option("--stage <name>", "ingest, validator or catalog-writer, where several have parked one of that name")
    .option("--timeout <seconds>", "how long to wait until it goes on", seconds, TIMEOUT_SECONDS)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((shard: string, options: ResumeOptions) =>
    runCommand(options, (signal) => resume(shard, options, signal)),
  );
}

async function resume(shard: string, options: ResumeOptions, signal: AbortSignal): Promise<CommandResult> {
  const order = planOrder(options);
  const lake = findLake(options);
  const giveUpAt = Date.now() + options.timeout * 1000;
  const chosen = choose(await parkedNow(lake, signal), shard, options.stage);
  if (chosen.length === 0) {
    const text = `nothing called ${shard} is parked`;
    return { exitCode: EXIT.no, json: { resumed: [], parked: [], message: text }, text };
  }
  if ("from" in order && chosen.length > 1) {
    throw new CommandError(EXIT.usage, `${shard} names several: ${chosen.map(nameOf).join(", ")}`, {
      fix: "Name one of them, with --stage where they share the shard",
    });
  }
  await giveOrder(lake, chosen, order);
  const left = await waitUntilGone(lake, chosen, giveUpAt, signal);
  const resumed = chosen.map(nameOf).filter((name) => !left.some((one) => nameOf(one) === name));
  return {
    exitCode: left.length === 0 ? EXIT.done : EXIT.no,
    json: { resumed, parked: left },
    text: [
      ...resumed.map((name) => `${name} goes on`),
      ...left.map((one) => `${nameOf(one)} is still parked: ${one.reason}`),
    ].join("\n"),
  };
}

/** @throws CommandError usage unless there is exactly one decision */
function planOrder({ from, acceptLoss }: Pick<ResumeOptions, "from" | "acceptLoss">): ResumeOrder {
  if (from !== undefined && !acceptLoss) return { from };
  if (from === undefined && acceptLoss) return { acceptLoss: true };
  throw new CommandError(EXIT.usage, "say how to go on: either --from N or --accept-loss");
}

/** What of the parked a name means: a shard as it is shown, its number, or all of a lake. */
export function choose(parked: readonly ParkedStage[], name: string, stage: string | undefined): ParkedStage[] {
  const ofStage = parked.filter((one) => stage === undefined || one.stage === stage);
  const exact = ofStage.filter((one) => String(one.shard) === name);
  if (exact.length > 0) return exact;
  return ofStage.filter(({ shard }) => {
    const parts = String(shard).split(".");
    return parts.at(-1) === name || parts[0] === name;
  });
}

const nameOf = ({ stage, shard }: ParkedStage): string => `${stage} ${shard}`;

async function parkedNow(lake: Lake, signal: AbortSignal): Promise<readonly ParkedStage[]> {
  const client = lakeQuery(requireAddress(lake, "query"), { retry: { attemptsMax: 3 } });
  return (await client.pipeline({ signal })).parked;
}

async function giveOrder(lake: Lake, chosen: readonly ParkedStage[], order: ResumeOrder): Promise<void> {
  const url = requireAddress(lake, "nats");
  const connection = await connectStreams({ url, name: "firn", connectLimitMs: CONNECT_LIMIT_MS });
  try {
    const store = await connection.attempts(STATE_BUCKET);
    for (const { stage, shard } of chosen) await store.put(resumeKey(stage, shard), order);
  } finally {
    await connection.close();
  }
}

/** What of the chosen still stands when the time is over. */
async function waitUntilGone(
  lake: Lake,
  chosen: readonly ParkedStage[],
  giveUpAt: number,
  signal: AbortSignal,
): Promise<readonly ParkedStage[]> {
  for (;;) {
    const parked = await parkedNow(lake, signal);
    const left = parked.filter((one) => chosen.some((other) => nameOf(other) === nameOf(one)));
    if (left.length === 0 || Date.now() >= giveUpAt || signal.aborted) return left;
    await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}
