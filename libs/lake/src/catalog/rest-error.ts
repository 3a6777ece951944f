import { LakeError, type LakeErrorKind } from "../lake-error.ts";
import { parseLakeJson } from "../metadata/json.ts";

/** What a call does, because the same failure means different things for each. */
export type CallPurpose = "read" | "change" | "commit";

/** Failures before a byte was sent: certainly nothing happened. */
const NOT_REACHED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

export interface CallDescription {
  readonly purpose: CallPurpose;
  /** `POST http://…/v1/…`. */
  readonly request: string;
}

/** The error of a call that was answered with a failure status. */
export function errorOfStatus(status: number, body: string, call: CallDescription): LakeError {
  const model = errorModel(body);
  const kind = kindOfStatus(status, model.type, call.purpose);
  const prefix = kind === "conflict" && call.purpose === "commit" ? "Commit failed: " : "";
  const message = model.message ?? `${call.request} was answered with status ${status}`;
  return new LakeError(kind, `${prefix}${message}`, {
    context: { status, request: call.request, ...(model.type === undefined ? {} : { type: model.type }) },
    // Too many requests: refused before anything was done.
    ...(status === 429 ? { retryable: true } : {}),
  });
}

function kindOfStatus(status: number, type: string | undefined, purpose: CallPurpose): LakeErrorKind {
  if (status === 409) {
    return purpose === "commit" || type === "NamespaceNotEmptyException" ? "conflict" : "already_exists";
  }
  if (status === 401 || status === 403 || status === 419) return "unauthorized";
  if (status === 404) return "not_found";
  if (status === 406 || status === 405 || status === 501) return "unsupported";
  if (status === 429) return "unavailable";
  if (status >= 500) return purpose === "read" ? "unavailable" : "unknown_outcome";
  return "invalid";
}

/** The error of a call that got no answer. */
export function errorOfFailure(error: unknown, call: CallDescription, timeoutMs: number): LakeError {
  const context = { request: call.request };
  const code = causeCode(error);
  if (code !== undefined && NOT_REACHED.has(code)) {
    return new LakeError("unavailable", `${call.request}: the catalog is not reached (${code})`, {
      cause: error,
      context,
    });
  }
  const timedOut = error instanceof Error && error.name === "TimeoutError";
  const what = timedOut ? `no answer within ${timeoutMs} ms` : `the connection failed (${code ?? String(error)})`;
  const kind = call.purpose === "read" ? "unavailable" : "unknown_outcome";
  return new LakeError(kind, `${call.request}: ${what}`, { cause: error, context: { ...context, timedOut } });
}

function causeCode(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth += 1) {
    const { code } = current as NodeJS.ErrnoException;
    if (typeof code === "string") return code;
  }
  return undefined;
}

/** Fields of the REST specification's ErrorModel, as far as the body has them. */
function errorModel(body: string): { message?: string; type?: string } {
  let parsed: unknown;
  try {
    parsed = parseLakeJson(body);
  } catch {
    return {};
  }
  const error = (parsed as { error?: { message?: unknown; type?: unknown } } | null)?.error;
  return {
    ...(typeof error?.message === "string" ? { message: error.message } : {}),
    ...(typeof error?.type === "string" ? { type: error.type } : {}),
  };
}
