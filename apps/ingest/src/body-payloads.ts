import { isAscii, isUtf8 } from "node:buffer";
import { type JsonRange, skipBlanks, sliceArrayElements } from "@firn/core";
import { Problem } from "@firn/service";

export type BodyFormat = "json" | "ndjson";

/** Where a payload stands in its body, for error answers. A line counts from 1, an index from 0. */
export type PayloadPlace = { readonly line: number } | { readonly index: number } | Record<string, never>;

export interface BodyPayload {
  /** A view into the body: the payload's bytes exactly as they came. */
  readonly bytes: Buffer;
  readonly place: PayloadPlace;
}

/** The format that a Content-Type names. @throws Problem 415 for any other. */
export function bodyFormat(contentType: string | undefined): BodyFormat {
  const [mediaType = "", ...parameters] = (contentType ?? "").split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  const utf8 = charset === undefined || ["utf-8", "utf8", '"utf-8"'].includes(charset);
  if (mediaType === "application/json" && utf8) return "json";
  if (mediaType === "application/x-ndjson" && utf8) return "ndjson";
  const message = "Content-Type must be application/json or application/x-ndjson, in UTF-8";
  throw new Problem(415, "unsupported_media_type", `${message}.`, {
    headers: { accept: "application/json, application/x-ndjson" },
    errors: [{ field: "Content-Type", rule: "media type", message }],
  });
}

/**
 * The payloads of a body: the one value or the elements of an array, or the lines that are not blank. They are cut,
 * not parsed: each may still be broken JSON.
 *
 * @throws Problem 400 when there is none or the body is not UTF-8.
 */
export function cutPayloads(body: Buffer, format: BodyFormat): BodyPayload[] {
  if (!isUtf8(body)) throw invalidUtf8(body, format);
  const payloads = format === "ndjson" ? cutLines(body) : cutJson(body);
  if (payloads.length > 0) return payloads;
  throw new Problem(400, "empty_body", "The body holds no payload.", {
    errors: [{ field: "body", rule: "non-empty", message: "the body must hold at least one payload" }],
  });
}

/** Decodes the payloads' texts the fastest way that is right for this body. */
export function textDecoderFor(body: Buffer): (bytes: Buffer) => string {
  return isAscii(body) ? (bytes) => bytes.toString("latin1") : (bytes) => bytes.toString("utf8");
}

function cutJson(body: Buffer): BodyPayload[] {
  const first = skipBlanks(body, 0);
  if (first === body.length) return [];
  if (body[first] !== 0x5b) return [{ bytes: body, place: {} }];
  const elements = sliceArrayElements(body);
  if (elements === undefined) {
    throw new Problem(400, "broken_json", "The body is not one JSON array: a bracket or a quote is missing.", {
      errors: [{ field: "body", rule: "json", message: "the body must be one JSON value" }],
    });
  }
  return elements.map((range, index) => ({ bytes: view(body, range), place: { index } }));
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

function cutLines(body: Buffer): BodyPayload[] {
  const payloads: BodyPayload[] = [];
  for (let start = 0, line = 1; start < body.length; line++) {
    const feed = body.indexOf(LINE_FEED, start);
    const next = feed === -1 ? body.length : feed;
    const end = next > start && body[next - 1] === CARRIAGE_RETURN ? next - 1 : next;
    if (skipBlanks(body, start) < end) payloads.push({ bytes: body.subarray(start, end), place: { line } });
    start = next + 1;
  }
  return payloads;
}

function view(body: Buffer, { start, end }: JsonRange): Buffer {
  return body.subarray(start, end);
}

function invalidUtf8(body: Buffer, format: BodyFormat): Problem {
  const bad = (format === "ndjson" ? cutLines(body) : []).find(({ bytes }) => !isUtf8(bytes));
  const place = bad?.place ?? {};
  const what = "line" in place ? `Line ${place.line}` : "The body";
  return new Problem(400, "invalid_utf8", `${what} is not UTF-8.`, {
    errors: [{ field: "body", rule: "utf-8", message: `${what.toLowerCase()} must be UTF-8`, ...place }],
  });
}
