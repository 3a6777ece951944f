import { basename } from "node:path";

import { CommandError, EXIT } from "../exit-code.ts";
import type { Progress } from "../progress.ts";
import { IngestSession, type Refusal } from "./ingest-session.ts";
import type { InputFile } from "./input-file.ts";
import type { PayloadLine, ReplayKind, ReplaySource } from "./payload-line.ts";
import { RequestLanes, type LaneTotals } from "./request-lanes.ts";
import type { ReplayIdentity, ResumeState } from "./resume-state.ts";

/** What became of one file. */
export interface FileReport {
  readonly file: string;
  readonly kind: ReplayKind;
  /** Accepted by ingest in this run. */
  readonly samples: number;
  readonly payloads: number;
  readonly requests: number;
  /** Payloads that an interrupted run before this one had brought in. */
  readonly resumed: number;
  /** What was left out on purpose, with how often. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly refused: readonly Refusal[];
  readonly problems: readonly string[];
  readonly seconds: number;
}

export interface ReplayTarget {
  readonly ingestUrl: string;
  readonly dataset: string;
  /** Requests under way at once. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

export interface Resuming {
  readonly state: ResumeState;
  readonly identity: ReplayIdentity;
}

/**
 * Sends one file. Ended by the signal or by an ingest that stays away, it leaves its state, and the next replay of the
 * same file goes on behind the last payload before which all have their answer.
 */
export async function replayFile(
  file: InputFile,
  source: ReplaySource,
  target: ReplayTarget,
  progress: Progress,
  resuming: Resuming | undefined,
): Promise<FileReport> {
  const startedMs = Date.now();
  const resumed = resuming?.state.read(resuming.identity) ?? 0;
  if (resumed > 0) progress.say(`${basename(file.path)}: going on behind payload ${resumed}`);
  const session = new IngestSession({ ...target, onWaiting: waitingNotice(progress) });
  const lanes = new RequestLanes(
    target.concurrency,
    resumed,
    (lines) => session.send(lines),
    (answered) => resuming?.state.write(resuming.identity, answered),
  );
  const update = () => {
    const note = `${lanes.totals.samples.toLocaleString("en-US")} samples of ${basename(file.path)}`;
    progress.update(file.bytesRead() * lanes.answeredShare, note);
  };
  const ticking = setInterval(update, 200);
  try {
    await sendAll(source.payloads(), resumed, lanes, target.signal);
    update();
  } catch (error) {
    resuming?.state.write(resuming.identity, lanes.answered, true);
    throw error;
  } finally {
    clearInterval(ticking);
  }
  resuming?.state.clear();
  return report(file, source, lanes.totals, resumed, (Date.now() - startedMs) / 1000);
}

async function sendAll(
  batches: AsyncIterable<readonly PayloadLine[]>,
  skip: number,
  lanes: RequestLanes,
  signal: AbortSignal,
): Promise<void> {
  let ordinal = 0;
  for await (const batch of batches) {
    for (const line of batch) {
      if (ordinal >= skip) await lanes.add(line);
      ordinal += 1;
    }
    if (signal.aborted) break;
  }
  await lanes.finish();
  if (signal.aborted) throw new CommandError(EXIT.broken, "stopped; the same command goes on from here");
}

const NOTICE_EVERY_MS = 5_000;

function waitingNotice(progress: Progress): (reason: string) => void {
  let saidMs = 0;
  return (reason) => {
    if (Date.now() - saidMs < NOTICE_EVERY_MS) return;
    saidMs = Date.now();
    progress.say(`waiting for ingest: ${reason}`);
  };
}

function report(
  file: InputFile,
  source: ReplaySource,
  totals: LaneTotals,
  resumed: number,
  seconds: number,
): FileReport {
  return {
    file: file.path,
    kind: source.kind,
    samples: totals.samples,
    payloads: totals.payloads,
    requests: totals.requests,
    resumed,
    skipped: Object.fromEntries(source.skipped),
    refused: totals.refused,
    problems: source.problems,
    seconds,
  };
}
