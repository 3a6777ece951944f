import { formatInstantUs } from "@firn/core";

/** Instants as text: ISO 8601 with `Z` or an offset ↔ microseconds since the epoch. */

/** Microseconds since the epoch; a bigint only where a number would not be exact. */
export type Micros = number | bigint;

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|([+-])(\d\d):?(\d\d)?)$/i;

/**
 * undefined when the text is not an instant. More than six digits of a fraction are cut off. A `+` that a form encoding
 * turned into a blank is understood.
 */
export function parseInstant(text: string): Micros | undefined {
  const match = INSTANT.exec(text.replace(/ (\d\d:?\d\d)$/, "+$1"));
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second = "0", fraction = "", , sign, offsetHour = "0", offsetMinute = "0"] =
    match;
  if (!isDate(`${year}-${month}-${day}`)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (Number(offsetHour) > 18 || Number(offsetMinute) > 59) return undefined;
  const localMs = utcMs(Number(year), Number(month), Number(day)) + (Number(hour) * 60 + Number(minute)) * 60_000;
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000 * (sign === "-" ? -1 : 1);
  const micros =
    BigInt(localMs - offsetMs + Number(second) * 1000) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, "0"));
  return safeMicros(micros);
}

/** A calendar date, YYYY-MM-DD, that exists. */
export function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(utcMs(year, month, day));
  return year >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** `2026-01-31T12:00:00Z`; three or six digits of a fraction where there are any. */
export function formatInstant(micros: Micros): string {
  if (typeof micros === "number") return formatInstantUs(micros);
  // Beyond the years 1685 to 2255; Date knows them to the millisecond.
  const belowMs = ((micros % 1000n) + 1000n) % 1000n;
  const [whole = "", fraction = "000"] = new Date(Number((micros - belowMs) / 1000n))
    .toISOString()
    .slice(0, -1)
    .split(".");
  const digits = `${fraction}${belowMs === 0n ? "" : String(belowMs).padStart(3, "0")}`;
  return digits === "000" ? `${whole}Z` : `${whole}.${digits}Z`;
}

/** Days since 1970-01-01 → YYYY-MM-DD. */
export function formatDate(days: number): string {
  return new Date(days * 86_400_000).toISOString().split("T")[0]!;
}

/** YYYY-MM-DD moved by whole days. */
export function addDays(date: string, days: number): string {
  return formatDate(Math.round(Date.parse(`${date}T00:00:00Z`) / 86_400_000) + days);
}

/** Date.UTC without its reading of 0–99 as 1900–1999. */
function utcMs(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

function safeMicros(micros: bigint): Micros {
  const number = Number(micros);
  return Number.isSafeInteger(number) ? number : micros;
}
