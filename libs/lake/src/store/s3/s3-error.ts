import { LakeError, type LakeErrorKind } from "../../lake-error.ts";

/** What errors of the SDK carry, as far as this store looks at it. */
interface SdkFailure {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const KIND_BY_CODE: Readonly<Record<string, LakeErrorKind>> = {
  NoSuchKey: "not_found",
  NotFound: "not_found",
  NoSuchBucket: "invalid",
  PreconditionFailed: "already_exists",
  InvalidAccessKeyId: "unauthorized",
  SignatureDoesNotMatch: "unauthorized",
  ExpiredToken: "unauthorized",
  InvalidToken: "unauthorized",
  AccessDenied: "unauthorized",
  // versitygw answers 404 for a key id that it does not know.
  XAdminUserNotFound: "unauthorized",
  CredentialsProviderError: "unauthorized",
  // Bytes that were damaged on their way: nothing was stored.
  BadDigest: "unavailable",
  XAmzContentChecksumMismatch: "unavailable",
  XAmzContentSHA256Mismatch: "unavailable",
  ConditionalRequestConflict: "unavailable",
};

/** The code that S3 gave, or the name or system code of the failure. */
export function s3Code(error: unknown): string {
  const { name, code, Code } = error as SdkFailure;
  return Code ?? (name === undefined || name === "Error" ? (code ?? "Error") : name);
}

/**
 * A failure of the SDK as a LakeError. What has no status never got an answer; since every call here may be asked
 * twice, it is `unavailable`, as is every 5xx.
 */
export function s3Error(error: unknown, location: string): LakeError {
  if (error instanceof LakeError) return error;
  const code = s3Code(error);
  const { $metadata, message = "" } = error as SdkFailure;
  const status = $metadata?.httpStatusCode;
  const kind = KIND_BY_CODE[code] ?? kindOfStatus(status);
  const said = message === "" || message === code ? code : `${code}: ${message}`;
  return new LakeError(kind, `${location}: ${said}`, {
    cause: error,
    context: { location, code, ...(status === undefined ? {} : { status }) },
  });
}

function kindOfStatus(status: number | undefined): LakeErrorKind {
  if (status === undefined || status >= 500 || status === 408 || status === 409 || status === 429) return "unavailable";
  if (status === 404) return "not_found";
  if (status === 412) return "already_exists";
  if (status === 401 || status === 403) return "unauthorized";
  // A 2xx whose body could not be read.
  return status < 400 ? "unavailable" : "invalid";
}
