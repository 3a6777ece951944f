import { ClientError, parseProblem } from "./client-error.ts";
import { DEFAULT_RETRY, parseRetryAfterMs, withRetry, type Attempt, type RetryPolicy, type Setback } from "./retry.ts";

export interface HttpOptions {
  readonly retry?: Partial<RetryPolicy>;
  /** Limit of one attempt. */
  readonly timeoutMs?: number;
  /** Bearer token, sent with every request; an empty one counts as none. */
  readonly token?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Told before each pause: for progress bars and logs. */
  readonly onRetry?: (setback: Setback, pauseMs: number, attempt: number) => void;
  /** Another implementation of fetch. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal | undefined;
  /** Limit of one attempt, where this request needs another one than the rest. */
  readonly timeoutMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

export type HttpSender = (request: HttpRequest) => Promise<HttpAnswer>;

const TIMEOUT_MS = 60_000;

/**
 * Sends requests and tries again what may pass: refused and broken connections, 429, 502, 503 and 504, after
 * `Retry-After` where it is given. All that Firn's services take may be sent twice: a question changes nothing, and a
 * sample that comes twice is a counted duplicate. Other answers of 4xx and 5xx are thrown at once.
 */
export function httpSender(options: HttpOptions = {}): HttpSender {
  const policy = { ...DEFAULT_RETRY, ...options.retry };
  const fetchOnce = options.fetch ?? globalThis.fetch;
  const headers = { ...(options.token ? { authorization: `Bearer ${options.token}` } : {}), ...options.headers };
  return (request) =>
    withRetry({ policy, signal: request.signal, onRetry: options.onRetry }, async (): Promise<Attempt<HttpAnswer>> => {
      const timeout = AbortSignal.timeout(request.timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS);
      const signal = request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout]);
      try {
        const response = await fetchOnce(request.url, {
          method: request.method,
          headers: { ...headers, ...request.headers },
          ...(request.body === undefined ? {} : { body: request.body as NonNullable<RequestInit["body"]> }),
          signal,
        });
        const bytes = new Uint8Array(await response.arrayBuffer());
        return judge(request, { status: response.status, headers: response.headers, bytes });
      } catch (error) {
        if (error instanceof ClientError) throw error;
        return unreached(request, error);
      }
    });
}

const PASSING = new Set([429, 502, 503, 504]);

function judge(request: HttpRequest, answer: HttpAnswer): Attempt<HttpAnswer> {
  if (answer.status >= 200 && answer.status < 300) return { kind: "done", value: answer };
  const problem = parseProblem(new TextDecoder().decode(answer.bytes));
  const said = problem?.detail ?? `${request.method} ${request.url} answered ${answer.status}`;
  const detail = { status: answer.status, ...(problem === undefined ? {} : { problem }) };
  const passing = PASSING.has(answer.status);
  const error = new ClientError(passing || answer.status >= 500 ? "unavailable" : "refused", said, detail);
  // A table that cannot be read stays so until somebody repairs it: waiting does not help.
  if (!passing || problem?.code === "table_unreadable") throw error;
  return { kind: "again", error, retryAfterMs: parseRetryAfterMs(answer.headers.get("retry-after"), Date.now()) };
}

function unreached(request: HttpRequest, cause: unknown): Attempt<never> {
  if (request.signal?.aborted === true) throw new ClientError("aborted", "stopped by the caller", { cause });
  const why = cause instanceof Error ? reasonOf(cause) : String(cause);
  const error = new ClientError("unavailable", `cannot reach ${new URL(request.url).origin}: ${why}`, { cause });
  return { kind: "again", error, retryAfterMs: undefined };
}

/** fetch says "fetch failed" and keeps the reason in `cause`. */
function reasonOf(error: Error): string {
  const cause = error.cause;
  if (!(cause instanceof Error)) return error.message;
  const code = (cause as NodeJS.ErrnoException).code;
  return cause.message === "" ? (code ?? error.message) : cause.message;
}

export function parseJsonBody<T>(answer: HttpAnswer, url: string): T {
  try {
    return JSON.parse(new TextDecoder().decode(answer.bytes)) as T;
  } catch (cause) {
    throw new ClientError("protocol", `${url} answered something that is not JSON`, { status: answer.status, cause });
  }
}
