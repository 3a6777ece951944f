import { payloadOutline, shardPayload, type Dataset, type PayloadEnvelope } from "@firn/core";
import { Problem, type FieldError } from "@firn/service";
import { cutPayloads, textDecoderFor, type BodyFormat, type PayloadPlace } from "./body-payloads.ts";
import { NESTING_DEPTH_MAX, PROBLEMS_NAMED_MAX, RECORDS_PER_PAYLOAD_MAX } from "./limits.ts";
import { nestsDeeperThan } from "./nesting.ts";

/** A payload that may go into the log, or the part of one that belongs to a shard. */
export interface ShardedPayload {
  readonly bytes: Uint8Array;
  readonly shard: number;
}

export interface AcceptedBody {
  readonly payloads: readonly ShardedPayload[];
  /** How many payloads came; some may have been cut into parts. */
  readonly received: number;
  readonly records: number;
}

/**
 * Checks every payload's JSON, depth, envelope and number of records, and finds its shard. One bad payload refuses
 * all: the answer names each, up to a limit, by line or index, field and rule.
 *
 * @throws Problem 400 or 413
 */
export function acceptPayloads(body: Buffer, format: BodyFormat, dataset: Dataset, shards: number): AcceptedBody {
  const textOf = textDecoderFor(body);
  const accepted: ShardedPayload[] = [];
  const refused: Refusal[] = [];
  let received = 0;
  let records = 0;
  for (const { bytes, place } of cutPayloads(body, format)) {
    const verdict = checkPayload(bytes, textOf, dataset);
    if (verdict.ok) {
      received++;
      accepted.push(...shardPayload(bytes, verdict, shards));
      records += verdict.records;
    } else if (refused.push({ ...verdict, place }) >= PROBLEMS_NAMED_MAX) break;
  }
  if (refused.length > 0) throw refusal(refused);
  return { payloads: accepted, received, records };
}

export type ProblemCode = "broken_json" | "too_deep" | "wrong_envelope" | "too_many_records";

/** What becomes of a payload, by its decoded value. */
export type Verdict =
  PayloadEnvelope | { readonly ok: false; readonly code: ProblemCode; readonly errors: readonly FieldError[] };

type Refusal = Extract<Verdict, { ok: false }> & { readonly place: PayloadPlace };

function checkPayload(bytes: Buffer, textOf: (bytes: Buffer) => string, dataset: Dataset): Verdict {
  const { countsRecords, records } = dataset.payload;
  const outline = countsRecords === true ? payloadOutline(bytes, records) : undefined;
  if (outline !== undefined) return checkValue(outline, dataset);
  let parsed: unknown;
  try {
    parsed = JSON.parse(textOf(bytes));
  } catch (error) {
    return refuse("broken_json", "", "json", `the payload is not JSON${positionOf(error)}`);
  }
  return checkValue(parsed, dataset);
}

/** Checks the envelope, the depth and the number of records of a payload that could be decoded. */
export function checkValue(parsed: unknown, dataset: Dataset): Verdict {
  const envelope = dataset.checkEnvelope(parsed);
  if (!envelope.ok) return { ok: false, code: "wrong_envelope", errors: envelope.problems };
  if (nestsDeeperThan(NESTING_DEPTH_MAX, parsed)) {
    return refuse("too_deep", "", "depth", `the payload nests deeper than ${NESTING_DEPTH_MAX} levels`);
  }
  if (envelope.records > RECORDS_PER_PAYLOAD_MAX) {
    const message = `the payload holds ${envelope.records} records, ${RECORDS_PER_PAYLOAD_MAX} are allowed`;
    return refuse("too_many_records", dataset.payload.records, "count", message);
  }
  return envelope;
}

function refuse(code: ProblemCode, field: string, rule: string, message: string): Verdict {
  return { ok: false, code, errors: [{ field, rule, message }] };
}

/** V8's message quotes the text; only the position is for others to see. */
function positionOf(error: unknown): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? "" : `, at character ${position}`;
}

/** Payloads that are merely too large are a 413; anything else is a 400, whatever else is too large. */
function refusal(refused: readonly Refusal[]): Problem {
  const main = refused.find(({ code }) => code !== "too_many_records") ?? refused[0];
  const errors = refused.flatMap(({ errors: own, place }) =>
    own.map((error) => ({ ...error, message: `${placeText(place)}${error.message}`, ...place })),
  );
  const code = main?.code ?? "wrong_envelope";
  const first = main && { place: placeText(main.place), message: main.errors[0]?.message };
  const detail = `${first?.place ?? ""}${first?.message ?? ""}. Nothing of the request was accepted.`;
  return new Problem(code === "too_many_records" ? 413 : 400, code, detail, {
    errors: errors.slice(0, PROBLEMS_NAMED_MAX),
  });
}

function placeText(place: PayloadPlace): string {
  if ("line" in place) return `line ${place.line}: `;
  return "index" in place ? `index ${place.index}: ` : "";
}
