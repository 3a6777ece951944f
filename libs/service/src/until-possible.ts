import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "./logger.ts";

const RETRY_MS_FIRST = 200;
const RETRY_MS_MAX = 5_000;

/**
 * Tries until it works; undefined when the signal aborts first. Only what waiting can mend is tried again: errors that
 * say `retryable`, as those of the broker and the lake do while these are away.
 */
export async function untilPossible<T>(
  signal: AbortSignal,
  logger: Logger,
  work: () => Promise<T>,
): Promise<T | undefined> {
  for (let waitMs = RETRY_MS_FIRST; !signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
    try {
      return await work();
    } catch (error) {
      if ((error as { retryable?: unknown }).retryable !== true) throw error;
      logger.warn("cannot start yet", { error, retry_ms: waitMs });
    }
    await sleep(waitMs, undefined, { signal }).catch(() => {});
  }
  return undefined;
}
