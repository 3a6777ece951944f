import { Problem } from "@firn/service";
import { isStreamError } from "@firn/stream";

const RETRY_SOON_S = "1";
/** A full stream needs the stages behind it to catch up. */
const RETRY_LATER_S = "5";

/** What a client hears when the log did not take its request. Anything that is not the broker's doing is rethrown. */
export function appendProblem(error: unknown): unknown {
  if (!isStreamError(error)) return error;
  switch (error.kind) {
    case "full":
      return unavailable("intake_full", "The intake stream is full; nothing was stored.", RETRY_LATER_S, error);
    case "unknown_outcome":
      return unavailable(
        "outcome_unknown",
        "The broker did not answer in time. Send the same bytes again: what is stored already counts as a duplicate.",
        RETRY_SOON_S,
        error,
      );
    case "unavailable":
    case "gone":
      return unavailable("broker_unavailable", "The broker is away; nothing was stored.", RETRY_SOON_S, error);
    case "wrong_expectation":
    case "too_large":
    case "invalid":
      return error;
  }
}

function unavailable(code: string, detail: string, retryAfterS: string, cause: unknown): Problem {
  return new Problem(503, code, detail, { headers: { "retry-after": retryAfterS }, cause });
}
