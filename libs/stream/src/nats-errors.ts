import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { ConnectionLost } from "./nats-link.ts";
import { StreamError, type StreamErrorKind } from "./stream-error.ts";

/** Error codes of the JetStream API (nats-server 2.15, server/errors.json). */
export const JETSTREAM = {
  consumerNotFound: 10014,
  insufficientResources: 10023,
  memoryExceeded: 10028,
  storageExceeded: 10047,
  messageTooLarge: 10054,
  streamNameInUse: 10058,
  streamNotFound: 10059,
  wrongLastSequence: 10071,
  storeFailed: 10077,
  headerTooLarge: 10097,
  streamBytesOverLimit: 10122,
  resourceLimits: 10002,
  wrongLastSequenceInProcess: 10164,
  batchIncomplete: 10176,
  batchTooLarge: 10199,
  batchesInFlight: 10210,
} as const;

const KINDS: ReadonlyMap<number, StreamErrorKind> = new Map<number, StreamErrorKind>([
  [JETSTREAM.wrongLastSequence, "wrong_expectation"],
  [JETSTREAM.wrongLastSequenceInProcess, "wrong_expectation"],
  [JETSTREAM.insufficientResources, "full"],
  [JETSTREAM.memoryExceeded, "full"],
  [JETSTREAM.storageExceeded, "full"],
  [JETSTREAM.resourceLimits, "full"],
  [JETSTREAM.messageTooLarge, "too_large"],
  [JETSTREAM.headerTooLarge, "too_large"],
  [JETSTREAM.batchTooLarge, "too_large"],
  [JETSTREAM.batchIncomplete, "unavailable"],
  [JETSTREAM.batchesInFlight, "unavailable"],
  [JETSTREAM.streamNotFound, "gone"],
]);

/** The error part of a publish acknowledgement or an API response. */
export interface BrokerError {
  code: number;
  err_code: number;
  description: string;
}

/** What the broker said about a request that it refused: nothing was stored. */
export function fromBroker(error: BrokerError, context: Record<string, unknown>): StreamError {
  const details = { ...context, brokerCode: error.err_code };
  return new StreamError(kindOf(error), `nats-server refused: ${error.description} (${error.err_code})`, details);
}

function kindOf(error: BrokerError): StreamErrorKind {
  const known = KINDS.get(error.err_code);
  if (known !== undefined) return known;
  if (error.err_code === JETSTREAM.storeFailed) return /maximum/.test(error.description) ? "full" : "unavailable";
  return error.code === 503 || error.code === 429 ? "unavailable" : "invalid";
}

/**
 * Turns what the client library throws into a StreamError. `whenUnanswered` says what a timeout or a lost connection
 * means: `unknown_outcome` for a write, `unavailable` for a read.
 */
export function fromClient(
  error: unknown,
  whenUnanswered: "unknown_outcome" | "unavailable",
  context: Record<string, unknown>,
): StreamError {
  if (error instanceof StreamError) return error;
  const options = { cause: error };
  if (error instanceof JetStreamApiError) return fromBroker(error.apiError(), context);
  if (isNoResponders(error)) {
    return new StreamError("unavailable", "nats-server has nobody to take the request", context, options);
  }
  if (error instanceof ConnectionLost || error instanceof errors.TimeoutError) {
    return new StreamError(whenUnanswered, `no answer from nats-server: ${error.message}`, context, options);
  }
  if (error instanceof errors.InvalidArgumentError && /max_payload/.test(error.message)) {
    return new StreamError("too_large", error.message, context, options);
  }
  if (isConnectionProblem(error)) return new StreamError("unavailable", error.message, context, options);
  return new StreamError("invalid", error instanceof Error ? error.message : String(error), context, options);
}

/** Nobody listened on the subject. The JetStream client wraps this once more, in an error that it does not export. */
export function isNoResponders(error: unknown): boolean {
  if (error instanceof errors.NoRespondersError) return true;
  if (error instanceof Error && error.name === "JetStreamNotEnabled") return true;
  return error instanceof errors.RequestError && error.isNoResponders();
}

function isConnectionProblem(error: unknown): error is Error {
  const kinds = [
    errors.ClosedConnectionError,
    errors.ConnectionError,
    errors.DrainingConnectionError,
    errors.RequestError,
  ];
  return kinds.some((kind) => error instanceof kind);
}
