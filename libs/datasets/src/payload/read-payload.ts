import { isPlainJson, PayloadDecoder, type ErrorType, type PayloadInput } from "@firn/core";

import { findPayloadFaults, NO_FAULTS, type PayloadFaults } from "./payload-faults.ts";
import { wrongKind } from "./record-problems.ts";

/** An object of which nothing is known yet but that it is one. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Decodes payloads of every dataset: what it keeps of one run (readers of Avro schemas) serves the next. */
export const payloadDecoder = new PayloadDecoder();

export type ReadPayload =
  | { readonly ok: true; readonly payload: JsonObject; readonly faults: PayloadFaults }
  | { readonly ok: false; readonly errorType: ErrorType; readonly message: string };

/** A payload's object, and what its text holds that no value shows; `members` are those that hold records. */
export function readPayload(input: PayloadInput, members: readonly string[]): ReadPayload {
  const decoded = payloadDecoder.decode(input);
  if (!decoded.ok) return decoded;
  const { value } = decoded;
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return { ok: false, errorType: "schema_error", message: wrongKind("payload", value, "an object") };
  }
  // Only a JSON text can hold a key twice or a lone surrogate.
  const isPlain = input.encoding !== "json" || isPlainJson(input.bytes, value);
  const faults = isPlain ? NO_FAULTS : findPayloadFaults(input.bytes, members);
  return { ok: true, payload: value as JsonObject, faults };
}
