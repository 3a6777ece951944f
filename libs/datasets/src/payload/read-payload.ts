import { isPlainJson, PayloadDecoder, type EnvelopeCheck, type ErrorType, type PayloadInput } from "@firn/core";

import { faultText, findPayloadFaults, NO_FAULTS, type PayloadFaults } from "./payload-faults.ts";
import { wrongKind } from "./record-problems.ts";

/** An object of which nothing is known yet but that it is one. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Decodes payloads of every dataset: what it keeps of one run (readers of Avro schemas) serves the next. */
export const payloadDecoder = new PayloadDecoder();

export type OpenedPayload =
  | { readonly ok: true; readonly payload: JsonObject; readonly faults: PayloadFaults }
  | {
      readonly ok: false;
      readonly errorType: ErrorType;
      readonly message: string;
      /** Empty where it could not be read. */
      readonly payload: JsonObject;
    };

const UNREAD: JsonObject = {};

/**
 * A payload's object, decoded and of the right shape, and what its text holds of single records that no value shows.
 * A fault of the payload itself (not JSON, no object, a key twice, a wrong envelope) refuses it as a whole.
 *
 * @param members those that hold records
 */
export function openPayload(
  input: PayloadInput,
  members: readonly string[],
  checkEnvelope: (payload: JsonObject) => EnvelopeCheck,
): OpenedPayload {
  const decoded = payloadDecoder.decode(input);
  if (!decoded.ok) return { ...decoded, payload: UNREAD };
  const { value } = decoded;
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    const message = wrongKind("payload", value, "an object");
    return { ok: false, errorType: "schema_error", message, payload: UNREAD };
  }
  const payload = value as JsonObject;
  // Only a JSON text can hold a key twice or a lone surrogate.
  const isPlain = input.encoding !== "json" || isPlainJson(input.bytes, value);
  const faults = isPlain ? NO_FAULTS : findPayloadFaults(input.bytes, members);
  if (faults.payload.length > 0) {
    return { ok: false, errorType: "validation_error", message: faults.payload.map(faultText).join("; "), payload };
  }
  const envelope = checkEnvelope(payload);
  if (envelope.ok) return { ok: true, payload, faults };
  const message = envelope.problems.map((problem) => problem.message).join("; ");
  return { ok: false, errorType: "schema_error", message, payload };
}
