/** What the lake tells of its dealings with the world, for counters. Called often: it must be cheap and must not throw. */
export interface LakeObserver {
  /** One request to the object store over S3, each try of its own. @param operation name of S3's API, as `GetObject` */
  s3Request(operation: string, outcome: S3Outcome): void;
  /** A commit was posted and nobody knows what became of it: the table is looked at. */
  unknownOutcome(table: string): void;
}

/** `conflict`: a conditional request whose condition did not hold. `failed`: no answer, or a server's error. */
export type S3Outcome = "ok" | "not_found" | "conflict" | "refused" | "failed";

/** @param status of HTTP; undefined where there was no answer */
export function s3OutcomeOf(status: number | undefined): S3Outcome {
  if (status === undefined || status >= 500 || status === 429) return "failed";
  if (status < 400) return "ok";
  if (status === 404) return "not_found";
  return status === 409 || status === 412 ? "conflict" : "refused";
}
