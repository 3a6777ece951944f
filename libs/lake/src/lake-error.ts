/**
 * What can go wrong with the world below the lake.
 *
 * - `not_found`        namespace, table, snapshot or object is not there
 * - `already_exists`   somebody made it before
 * - `conflict`         a commit was refused; it is certain that nothing of it was applied
 * - `unknown_outcome`  a commit may or may not have been applied: look before doing anything
 * - `unavailable`      not reached, nothing was applied; try again later
 * - `invalid`          our request is wrong and stays wrong
 * - `corrupt`          stored bytes are not what the specification says
 * - `unauthorized`     credentials are missing, wrong or not enough
 * - `unsupported`      right by the specification, not done here
 */
export type LakeErrorKind =
  | "not_found"
  | "already_exists"
  | "conflict"
  | "unknown_outcome"
  | "unavailable"
  | "invalid"
  | "corrupt"
  | "unauthorized"
  | "unsupported";

export interface LakeErrorOptions {
  /** Names and places for the log line, never data values or secrets. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** Overrides what the kind says. */
  readonly retryable?: boolean;
}

/** Kinds where the very same call may succeed later. An unknown outcome must be looked up first, so it is not one. */
const RETRYABLE: ReadonlySet<LakeErrorKind> = new Set<LakeErrorKind>(["unavailable"]);

/** The one error class of libs/lake. */
export class LakeError extends Error {
  readonly kind: LakeErrorKind;
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(kind: LakeErrorKind, message: string, options: LakeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LakeError";
    this.kind = kind;
    this.retryable = options.retryable ?? RETRYABLE.has(kind);
    this.context = options.context ?? {};
  }
}

/** True when `error` is a LakeError, and of one of `kinds` if any are given. */
export function isLakeError(error: unknown, ...kinds: LakeErrorKind[]): error is LakeError {
  return error instanceof LakeError && (kinds.length === 0 || kinds.includes(error.kind));
}
