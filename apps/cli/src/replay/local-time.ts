import type { Zone } from "@firn/core";

/** A wall-clock time without a zone. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const MINUTE_US = 60_000_000;
const DAY_US = 24 * 60 * MINUTE_US;

/**
 * ISO 8601 with the zone's offset at that local time. A time that the clock shows twice is its first showing; one that
 * the clock skips keeps the offset from before the change.
 */
export function zonedIso(local: LocalTime, zone: Zone): string {
  const wallUs = asUtcMs(local) * 1000;
  const before = zone.offsetUsAt(wallUs - DAY_US);
  const after = zone.offsetUsAt(wallUs + DAY_US);
  const isBefore = zone.offsetUsAt(wallUs - before) === before || zone.offsetUsAt(wallUs - after) !== after;
  return `${formatLocal(local)}${formatOffset(Math.round((isBefore ? before : after) / MINUTE_US))}`;
}

/** True for a calendar date and time that exist (30 February does not). */
export function isRealTime(local: LocalTime): boolean {
  const date = new Date(asUtcMs(local));
  return (
    date.getUTCFullYear() === local.year &&
    date.getUTCMonth() + 1 === local.month &&
    date.getUTCDate() === local.day &&
    date.getUTCHours() === local.hour &&
    date.getUTCMinutes() === local.minute &&
    date.getUTCSeconds() === local.second
  );
}

/** The local time `seconds` later on the wall clock. */
export function plusSeconds(local: LocalTime, seconds: number): LocalTime {
  const date = new Date(asUtcMs(local) + seconds * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

/** YYYY-MM-DDTHH:MM:SS */
export function formatLocal(local: LocalTime): string {
  const date = `${pad(local.year, 4)}-${pad(local.month, 2)}-${pad(local.day, 2)}`;
  return `${date}T${pad(local.hour, 2)}:${pad(local.minute, 2)}:${pad(local.second, 2)}`;
}

function formatOffset(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60), 2)}:${pad(size % 60, 2)}`;
}

function asUtcMs(local: LocalTime): number {
  return Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
