import type { S3ClientConfig } from "@aws-sdk/client-s3";

/** The SDK's port for strategies of retries. */
type RetryStrategy = Extract<S3ClientConfig["retryStrategy"], { refreshRetryTokenForRetry: unknown }>;
type RetryToken = Awaited<ReturnType<RetryStrategy["refreshRetryTokenForRetry"]>>;

const WAIT_MS_FIRST = 100;
const WAIT_MS_MAX = 3_000;

/**
 * Tries a request again after failures that may pass: each wait is twice the last one, of which a random half is left
 * out. The SDK's own strategy stops trying when many requests fail at the same time, which is just when a server is
 * restarted; the number of requests under way is bounded here by the sockets instead.
 */
export function backOff(attemptsMax: number): RetryStrategy {
  return {
    acquireInitialRetryToken: async () => tokenOf(0, 0),
    refreshRetryTokenForRetry: async (token, error) => {
      const count = token.getRetryCount() + 1;
      if (error.errorType === "CLIENT_ERROR" || count >= attemptsMax) throw new Error("not tried again");
      const waitMs = Math.min(WAIT_MS_FIRST * 2 ** (count - 1), WAIT_MS_MAX) * (0.5 + Math.random() / 2);
      const hintMs = Math.min((error.retryAfterHint?.getTime() ?? 0) - Date.now(), WAIT_MS_MAX);
      return tokenOf(count, Math.max(waitMs, hintMs));
    },
    recordSuccess: () => {},
  };
}

function tokenOf(count: number, delayMs: number): RetryToken {
  return { getRetryCount: () => count, getRetryDelay: () => delayMs };
}
