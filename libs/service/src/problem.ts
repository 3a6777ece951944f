import { STATUS_CODES } from "node:http";

/** Which part of a request is wrong, and the rule that it breaks. */
export interface FieldError {
  readonly field: string;
  readonly rule: string;
  readonly message: string;
}

/** The body of an error answer: `application/problem+json`, RFC 9457 with the extensions `code` and `errors`. */
export interface ProblemBody {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

/** The media type of every error answer (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** Thrown by a handler to answer with an error. `code` is a stable word for programs, `detail` a sentence for people. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    extra: { errors?: readonly FieldError[]; headers?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    super(detail, { cause: extra.cause });
    this.status = status;
    this.code = code;
    this.errors = extra.errors ?? [];
    this.headers = extra.headers ?? {};
  }

  body(): ProblemBody {
    return {
      type: "about:blank",
      title: STATUS_CODES[this.status] ?? "Error",
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.errors.length > 0 && { errors: this.errors }),
    };
  }
}

/** Any thrown thing as a Problem. What is not meant for clients becomes a 500 without its message. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { status, statusCode, message } = Object(error) as Record<string, unknown>;
  const httpStatus = nestStatus(error) ?? statusCode ?? status;
  if (typeof httpStatus === "number" && httpStatus >= 400 && httpStatus < 500) {
    return new Problem(httpStatus, clientCode(httpStatus), typeof message === "string" ? message : "", {
      cause: error,
    });
  }
  if (httpStatus === 503) {
    return new Problem(503, "unavailable", "The service cannot answer now.", {
      headers: { "retry-after": "1" },
      cause: error,
    });
  }
  return new Problem(500, "internal_error", "The service failed; its log says why.", { cause: error });
}

function nestStatus(error: unknown): unknown {
  const getStatus = (error as { getStatus?: unknown } | null)?.getStatus;
  return typeof getStatus === "function" ? getStatus.call(error) : undefined;
}

function clientCode(status: number): string {
  if (status === 413) return "too_large";
  return (STATUS_CODES[status] ?? "bad request").toLowerCase().replaceAll(/[^a-z]+/g, "_");
}
