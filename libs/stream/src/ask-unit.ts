import { pause } from "./back-off.ts";
import type { StreamConnection } from "./connection.ts";
import { isStreamError } from "./stream-error.ts";

const LOOK_AGAIN_MS = 200;
/** Longer than a unit takes to go from a process that was killed to another one. */
const NOBODY_LIMIT_MS = 30_000;

/**
 * Asks whoever does a unit of work now (unit-share.ts), by a subject of the unit's own that he answers. While it goes
 * from one to the other nobody answers: waited out, for a while.
 * @throws StreamError as `request` does
 */
export async function askUnit(
  connection: Pick<StreamConnection, "request" | "isConnected">,
  subject: string,
  data: Uint8Array,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<Uint8Array> {
  const { signal, timeoutMs } = options;
  const deadline = performance.now() + Math.min(timeoutMs, NOBODY_LIMIT_MS);
  for (;;) {
    try {
      return await connection.request(subject, data, { timeoutMs });
    } catch (error) {
      const nobody = isStreamError(error, "unavailable") && connection.isConnected();
      if (!nobody || signal?.aborted === true || performance.now() > deadline) throw error;
    }
    await pause(LOOK_AGAIN_MS, signal);
  }
}
