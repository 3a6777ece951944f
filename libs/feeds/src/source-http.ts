import { setTimeout as sleep } from "node:timers/promises";

/**
 * Why a source gave nothing: `not_found` it has no such series, `refused` it takes no such request (a wrong key),
 * `unavailable` it was away or busy through every try, `bad_answer` it answered what is no answer.
 */
export type SourceFailure = "not_found" | "refused" | "unavailable" | "bad_answer";

/** A source did not answer, or not with what was asked for. */
export class SourceError extends Error {
  override readonly name = "SourceError";
  readonly kind: SourceFailure;

  constructor(kind: SourceFailure, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}

export interface SourceHttpOptions {
  /** Requests a second, over all that share this. */
  readonly requestsPerSecond: number;
  readonly attemptsMax: number;
  /** First pause after a failure; doubles up to `backOffMaxMs`. A source's own Retry-After comes before it. */
  readonly backOffMs: number;
  readonly backOffMaxMs: number;
  readonly timeoutMs: number;
}

const SOURCE_HTTP_DEFAULTS: SourceHttpOptions = {
  requestsPerSecond: 5,
  attemptsMax: 4,
  backOffMs: 500,
  backOffMaxMs: 30_000,
  timeoutMs: 20_000,
};

/** Asks one source for JSON: no faster than allowed, again after failures that pass. */
export class SourceHttp {
  readonly #options: SourceHttpOptions;
  #freeAtMs = 0;

  constructor(options: Partial<SourceHttpOptions> = {}) {
    this.#options = { ...SOURCE_HTTP_DEFAULTS, ...options };
  }

  /**
   * @param attemptsMax fewer tries than usual
   * @throws SourceError; messages name host and path, never the query, which may hold a key
   */
  async json(url: URL, signal: AbortSignal, attemptsMax = this.#options.attemptsMax): Promise<unknown> {
    const { backOffMaxMs, backOffMs } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#once(url, signal);
      if ("value" in outcome) return outcome.value;
      signal.throwIfAborted();
      if (outcome.error.kind !== "unavailable" || attempt >= attemptsMax) throw outcome.error;
      const pauseMs = outcome.retryAfterMs ?? backOffMs * 2 ** (attempt - 1);
      await sleep(Math.min(pauseMs, backOffMaxMs), undefined, { signal });
    }
  }

  async #once(
    url: URL,
    signal: AbortSignal,
  ): Promise<{ readonly value: unknown } | { readonly error: SourceError; readonly retryAfterMs?: number }> {
    await this.#turn(signal);
    const place = `${url.host}${url.pathname}`;
    const fail = (kind: SourceFailure, what: string, cause?: unknown) => ({
      error: new SourceError(kind, `${place} ${what}`, { cause }),
    });
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)]),
        headers: { accept: "application/json", "user-agent": "Mozilla/5.0 (compatible; firn)" },
      });
      text = await response.text();
    } catch (cause) {
      return fail("unavailable", "does not answer", cause);
    }
    const { status } = response;
    if (status === 429 || status >= 500) {
      const retryAfter = Number(response.headers.get("retry-after"));
      const failure = fail("unavailable", `answers ${status}`);
      return retryAfter > 0 ? { ...failure, retryAfterMs: retryAfter * 1000 } : failure;
    }
    if (status === 404) return fail("not_found", "answers 404");
    if (status !== 200) return fail("refused", `answers ${status}: ${text.slice(0, 200).replaceAll(/\s+/g, " ")}`);
    try {
      return { value: JSON.parse(text) as unknown };
    } catch (cause) {
      return fail("bad_answer", "answers what is not JSON", cause);
    }
  }

  /** Waits for this request's turn. */
  async #turn(signal: AbortSignal): Promise<void> {
    const nowMs = performance.now();
    const startMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = startMs + 1000 / this.#options.requestsPerSecond;
    if (startMs > nowMs) await sleep(startMs - nowMs, undefined, { signal });
  }
}
