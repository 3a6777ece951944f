import { ClientError } from "./client-error.ts";

/** How long to go on when a service is away or asks us to wait. */
export interface RetryPolicy {
  /** Attempts in all; 1 = never again. */
  readonly attemptsMax: number;
  /** The first pause when the service names none; it doubles each time. */
  readonly pauseFirstMs: number;
  /** The longest pause, also when the service names a longer one. */
  readonly pauseMaxMs: number;
}

/** Ten attempts, with pauses that double from 100 ms up to 10 s. */
export const DEFAULT_RETRY: RetryPolicy = { attemptsMax: 10, pauseFirstMs: 100, pauseMaxMs: 10_000 };

/** Why an attempt failed in a way that may pass, and what the service says about when. */
export interface Setback {
  readonly error: ClientError;
  readonly retryAfterMs: number | undefined;
}

export type Attempt<T> = { readonly kind: "done"; readonly value: T } | ({ readonly kind: "again" } & Setback);

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal | undefined;
  readonly onRetry: ((setback: Setback, pauseMs: number, attempt: number) => void) | undefined;
}

/** Calls `attempt` until it is done, throws, or the policy is used up. */
export async function withRetry<T>(options: RetryOptions, attempt: () => Promise<Attempt<T>>): Promise<T> {
  for (let number = 1; ; number++) {
    const outcome = await attempt();
    if (outcome.kind === "done") return outcome.value;
    if (number >= options.policy.attemptsMax) throw outcome.error;
    const pauseMs = pauseBefore(options.policy, number, outcome.retryAfterMs);
    options.onRetry?.(outcome, pauseMs, number);
    await sleep(pauseMs, options.signal);
  }
}

/** What the service asked for, else a doubling pause with a fifth of jitter. */
function pauseBefore(policy: RetryPolicy, number: number, retryAfterMs: number | undefined): number {
  const pauseMs = retryAfterMs ?? policy.pauseFirstMs * 2 ** Math.min(number - 1, 20) * (0.9 + Math.random() * 0.2);
  return Math.min(pauseMs, policy.pauseMaxMs);
}

/** RFC 9110 section 10.2.3: seconds, or an HTTP date. */
export function parseRetryAfterMs(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(new ClientError("aborted", "stopped while waiting to try again", { cause: signal?.reason }));
    };
    if (signal?.aborted === true) return reject(new ClientError("aborted", "stopped", { cause: signal.reason }));
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
