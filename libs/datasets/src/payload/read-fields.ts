import { explainInstant, OFFSET_MINUTES_MAX, parseInstantUs } from "@firn/core";

import { excerpt, wrongKind, type RecordProblems } from "./record-problems.ts";

/** Texts that each row of a payload repeats are bounded, so that a payload cannot grow without bound in the tables. */
export const NAME_LENGTH_MAX = 1024;

/**
 * Readers of one field each: they return the value, or add a problem and return a stand-in that nobody stores.
 * Optional fields may be absent or null.
 */
export function requiredText(value: unknown, field: string, problems: RecordProblems): string {
  if (typeof value !== "string") problems.add(wrongKind(field, value, "a string"));
  else if (value === "") problems.add(`${field} is empty: it must be a non-empty string`);
  else if (value.length > NAME_LENGTH_MAX) {
    problems.add(`${field} has ${value.length} characters: it must have at most ${NAME_LENGTH_MAX}`);
  } else return value;
  return "";
}

/** null where the field is missing; null with a problem where it is no text. */
export function optionalText(value: unknown, field: string, problems: RecordProblems): string | null {
  if (typeof value === "string") return value;
  if (value !== undefined && value !== null) problems.add(wrongKind(field, value, "a string where it is given"));
  return null;
}

/** An optional text that every row of the payload repeats. */
export function optionalName(value: unknown, field: string, problems: RecordProblems): string | null {
  return value === undefined || value === null || value === "" ? null : requiredText(value, field, problems);
}

export function optionalBoolean(value: unknown, field: string, problems: RecordProblems): boolean {
  if (typeof value === "boolean") return value;
  if (value !== undefined && value !== null) problems.add(wrongKind(field, value, "true or false where it is given"));
  return false;
}

/** Microseconds since the epoch; NaN with a problem where it is no instant of ISO 8601 with a zone. */
export function requiredInstant(value: unknown, field: string, problems: RecordProblems): number {
  if (typeof value === "string") {
    const us = parseInstantUs(value);
    if (us !== us) problems.add(`${field} ${excerpt(value)} ${explainInstant(value)}`);
    return us;
  }
  problems.add(wrongKind(field, value, "a string with an ISO 8601 instant"));
  return Number.NaN;
}

/**
 * Microseconds since the epoch; `absentUs` where the field is missing or null, NaN with a problem where it is no
 * instant.
 */
export function optionalInstant(value: unknown, field: string, absentUs: number, problems: RecordProblems): number {
  return value === undefined || value === null ? absentUs : requiredInstant(value, field, problems);
}

/** Minutes east of UTC, or null. */
export function optionalOffset(value: unknown, field: string, problems: RecordProblems): number | null {
  if (value === undefined || value === null) return null;
  const rule = `whole minutes east of UTC within ±${OFFSET_MINUTES_MAX}`;
  if (typeof value !== "number" || !Number.isInteger(value)) problems.add(wrongKind(field, value, rule));
  else if (Math.abs(value) > OFFSET_MINUTES_MAX) problems.add(`${field} ${value} is out of range: it must be ${rule}`);
  else return value + 0;
  return null;
}

/** A map with string values; absent, null and {} are the same: null. */
export function optionalTextMap(
  value: unknown,
  field: string,
  problems: RecordProblems,
): Readonly<Record<string, string>> | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object" || Array.isArray(value)) {
    problems.add(wrongKind(field, value, "an object of strings where it is given"));
    return null;
  }
  const map = value as Record<string, unknown>;
  let entries = 0;
  for (const key in map) {
    entries++;
    if (typeof map[key] !== "string") {
      problems.add(wrongKind(`${field}.${excerpt(key).slice(1, -1)}`, map[key], "a string, as every value of the map"));
    }
  }
  return entries === 0 ? null : (map as Record<string, string>);
}
