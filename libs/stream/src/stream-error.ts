/**
 * What can go wrong with a stream, as a closed list:
 *
 * - `wrong_expectation`: another record of the subject came first; nothing was stored.
 * - `full`: the stream is at its byte limit or the broker is out of space; nothing was stored.
 * - `too_large`: a record or the whole append is over a limit; nothing was stored.
 * - `unavailable`: the broker is away or not ready; nothing was stored.
 * - `unknown_outcome`: sent, then a timeout or a disconnect; stored or not, and only reading tells.
 * - `gone`: the stream was deleted or made anew, or ends before the position asked for. Park; never skip.
 * - `invalid`: a request that can never work, or a stream or server that does not fit.
 */
export type StreamErrorKind =
  "wrong_expectation" | "full" | "too_large" | "unavailable" | "unknown_outcome" | "gone" | "invalid";

const RETRYABLE: ReadonlySet<StreamErrorKind> = new Set(["full", "unavailable", "unknown_outcome"]);

/**
 * What went wrong with the broker: a closed `kind`, what was concerned in `context`, and whether another try may help.
 */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly kind: StreamErrorKind;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(
    kind: StreamErrorKind,
    message: string,
    context: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.kind = kind;
    this.context = context;
  }

  /** Whether the same request may work later. After `unknown_outcome` first look whether it was stored. */
  get retryable(): boolean {
    return RETRYABLE.has(this.kind);
  }
}

/** Whether it is one of ours, of this kind where one is named. */
export function isStreamError(error: unknown, kind?: StreamErrorKind): error is StreamError {
  return error instanceof StreamError && (kind === undefined || error.kind === kind);
}
