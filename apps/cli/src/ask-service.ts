import { connectStreams, isStreamError } from "@firn/stream";

import { CommandError, EXIT } from "./exit-code.ts";
import { requireAddress, type Lake } from "./lake-location.ts";

const CONNECT_LIMIT_MS = 5_000;

/**
 * Asks a running service by NATS request and waits for its answer.
 * @throws CommandError usage when the service refuses the request, broken when it is away or does not answer in time
 */
export async function askService(lake: Lake, subject: string, request: object, timeoutMs: number): Promise<unknown> {
  const url = requireAddress(lake, "nats");
  const service = subject.split(".")[0] ?? subject;
  try {
    const connection = await connectStreams({ url, name: "firn", connectLimitMs: CONNECT_LIMIT_MS });
    try {
      const answer = await connection.request(subject, Buffer.from(JSON.stringify(request)), { timeoutMs });
      return answer.length === 0 ? {} : (JSON.parse(Buffer.from(answer).toString("utf8")) as unknown);
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (isStreamError(error, "invalid")) throw new CommandError(EXIT.usage, error.message, { cause: error });
    if (isStreamError(error, "unknown_outcome")) {
      throw new CommandError(
        EXIT.broken,
        `${service} has not answered in ${timeoutMs / 1000} s; it may still be at it`,
        {
          fix: "Look with firn status --wait",
          cause: error,
        },
      );
    }
    throw new CommandError(EXIT.broken, `${service} cannot be asked: ${String((error as Error).message)}`, {
      fix: "Look with firn status which service is away",
      cause: error,
    });
  }
}
