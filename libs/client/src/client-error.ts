import type { Problem, ProblemField } from "./contract/answer.ts";

/**
 * - `refused`      the service says that the request is wrong (4xx); asking again changes nothing
 * - `unavailable`  not reached, or it said that it cannot now (429, 5xx), and the retries are used up
 * - `aborted`      the caller's signal
 * - `protocol`     an answer that is not what the contract says
 */
export type ClientErrorKind = "refused" | "unavailable" | "aborted" | "protocol";

export interface ClientErrorOptions {
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  readonly problem?: Problem;
  readonly cause?: unknown;
}

/** The one error class of libs/client. */
export class ClientError extends Error {
  readonly kind: ClientErrorKind;
  readonly status: number | undefined;
  /** The service's own words (RFC 9457), where it had any. */
  readonly problem: Problem | undefined;

  constructor(kind: ClientErrorKind, message: string, options: ClientErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ClientError";
    this.kind = kind;
    this.status = options.status;
    this.problem = options.problem;
  }

  get retryable(): boolean {
    return this.kind === "unavailable";
  }

  /** Machine-readable reason: `invalid_parameter`, `table_unreadable` … */
  get code(): string | undefined {
    return this.problem?.code;
  }

  /** What is wrong with which field. */
  get errors(): readonly ProblemField[] {
    return this.problem?.errors ?? [];
  }
}

/** The problem document in `text`; undefined when it is none. */
export function parseProblem(text: string): Problem | undefined {
  try {
    const value = JSON.parse(text) as Partial<Problem> | null;
    if (typeof value !== "object" || value === null || typeof value.code !== "string") return undefined;
    return value as Problem;
  } catch {
    return undefined;
  }
}
