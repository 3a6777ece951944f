import { setTimeout as sleep } from "node:timers/promises";
import type { LogFields, Logger } from "./logger.ts";

const RETRY_MS_FIRST = 100;
const RETRY_MS_MAX = 5_000;

export interface TurnOptions {
  /**
   * Works from where the tables and streams say, until the signal or a failure.
   * @param progressed resets the waits: what failed before was got over
   */
  turn(signal: AbortSignal, progressed: () => void): Promise<void>;
  /** Whether another turn may get over it, perhaps with less at once; any other failure is thrown. */
  getsOver(error: unknown): boolean;
  readonly logger: Logger;
  /** What the log says of a turn that failed. */
  readonly fields: LogFields;
}

/**
 * Turn after turn until the signal aborts: whatever a failure has left behind, the next turn begins with what is
 * durable. Waits between failures double, up to five seconds.
 */
export async function repeatTurns(signal: AbortSignal, { turn, getsOver, logger, fields }: TurnOptions): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await turn(signal, () => (failures = 0));
    } catch (error) {
      if (!getsOver(error)) throw error;
      if (signal.aborted) return;
      const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** failures++);
      logger.warn("turn failed, trying again", { ...fields, error, retry_ms: waitMs });
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
