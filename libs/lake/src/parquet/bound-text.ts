import { lowerBoundOf, upperBoundOf } from "../manifest/single-value.ts";
import type { PrimitiveType } from "../metadata/schema.ts";
import type { Literal } from "../scan/predicate.ts";

export type BoundSide = "lower" | "upper";

/**
 * The manifest bound for a minimum or maximum as DuckDB prints it in RETURN_STATS; undefined where no exact bound can
 * be told (dates before year 1, infinite timestamps, uuids, whose order engines disagree on): then none is written.
 *
 * DuckDB cuts strings and blobs after 256 bytes without raising a maximum. Bounds are cut to 16 code points or bytes,
 * far before, and raised there, so the cut cannot be seen.
 */
export function encodeBound(type: PrimitiveType, side: BoundSide, text: string): Uint8Array | undefined {
  const value = parseStatistic(type, side, text);
  if (value === undefined) return undefined;
  return side === "lower" ? lowerBoundOf(type, value) : upperBoundOf(type, value);
}

function parseStatistic(type: PrimitiveType, side: BoundSide, text: string): Literal | undefined {
  switch (type) {
    case "string":
      return text;
    case "boolean":
      return text === "1" || text === "true";
    case "int":
      return Number(text);
    case "long":
      return BigInt(text);
    case "float":
    case "double":
      return parseFloating(side, text);
    case "date":
      return parseDate(text);
    case "time":
      return parseTime(text);
    case "timestamp":
    case "timestamptz":
      return parseTimestamp(text, 6);
    case "timestamp_ns":
      return parseTimestamp(text, 9);
    case "binary":
      return Uint8Array.from(Buffer.from(text, "hex"));
    default:
      return type.startsWith("decimal") ? BigInt(text.replace(".", "")) : undefined;
  }
}

/** Zero has two signs that statistics do not tell apart: the lower bound takes the lower one. */
function parseFloating(side: BoundSide, text: string): number | undefined {
  const value = text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text);
  if (Number.isNaN(value)) return undefined;
  return value === 0 ? (side === "lower" ? -0 : 0) : value;
}

const DATE = /^(\d{4,6})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/;
const MS_A_DAY = 86_400_000;

function parseDate(text: string): number | undefined {
  const parts = DATE.exec(text);
  if (parts === null) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  const days = date.getTime() / MS_A_DAY;
  return Number.isNaN(days) ? undefined : days;
}

function parseTime(text: string, fractionDigits = 6): number | undefined {
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  const seconds = Number(parts[1]) * 3600 + Number(parts[2]) * 60 + Number(parts[3]);
  const fraction = (parts[4] ?? "").padEnd(fractionDigits, "0").slice(0, fractionDigits);
  return seconds * 10 ** fractionDigits + Number(fraction);
}

/** `2026-01-03 00:59:59.969+00`; the session's zone is UTC. */
function parseTimestamp(text: string, fractionDigits: number): bigint | undefined {
  const [dateText = "", timeText = ""] = text.split(" ");
  const days = parseDate(dateText);
  const time = parseTime(timeText.replace("+00", ""), fractionDigits);
  if (days === undefined || time === undefined) return undefined;
  return BigInt(days) * 86_400n * 10n ** BigInt(fractionDigits) + BigInt(time);
}
