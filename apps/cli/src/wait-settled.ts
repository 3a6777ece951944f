import type { PipelineStatus } from "@firn/client";

import { lakeQuery } from "./lake-clients.ts";

const WAIT_STEP_MS = 5_000;

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks until everything that was accepted is in the tables, a stage is parked, or the time is over. */
export async function waitSettled(queryUrl: string, { timeoutMs, signal }: WaitOptions): Promise<PipelineStatus> {
  const client = lakeQuery(queryUrl, { retry: { attemptsMax: 3 } });
  const giveUpAt = Date.now() + timeoutMs;
  let pipeline = await client.pipeline({ signal });
  while (!pipeline.settled && pipeline.parked.length === 0 && Date.now() < giveUpAt && !signal.aborted) {
    pipeline = await client.pipeline({ waitMs: Math.min(WAIT_STEP_MS, Math.max(0, giveUpAt - Date.now())), signal });
  }
  return pipeline;
}
