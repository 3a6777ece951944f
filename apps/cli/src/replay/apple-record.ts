import { createHash } from "node:crypto";

import { numberOrText } from "./fitbit-kinds.ts";
import type { Occurrences } from "./occurrences.ts";
import type { ReplaySample } from "./payload-line.ts";

/** One `<Record>` of an Apple Health export: its attributes, and its `<MetadataEntry>` children. */
export interface AppleRecord {
  readonly attributes: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Measured {
  readonly type: string;
  readonly value: number | string | undefined;
  readonly unit: string | undefined;
}

const QUANTITY = "HKQuantityTypeIdentifier";
const MINUTE_MS = 60_000;

/**
 * What a record measures, or undefined for a category that has no number. Apple writes percentages as 0–1 with the
 * unit `%`; here they are marked `fraction`. Sleep, mindfulness and stand hours are categories: their length counts.
 */
export function measuredBy(record: AppleRecord): Measured | undefined {
  const { type = "", value, unit } = record.attributes;
  if (type.startsWith(QUANTITY)) return { type, value: numberOrText(value), unit: unit === "%" ? "fraction" : unit };
  switch (type) {
    case "HKCategoryTypeIdentifierSleepAnalysis":
      return measuredSleep(record);
    case "HKCategoryTypeIdentifierMindfulSession":
      return { type: "mindfulMinutes", value: lengthMinutes(record), unit: "min" };
    case "HKCategoryTypeIdentifierAppleStandHour":
      return { type: "standHours", value: value === "HKCategoryValueAppleStandHourStood" ? 1 : 0, unit: "count" };
    default:
      return type.startsWith("HK") ? undefined : { type, value: numberOrText(value), unit };
  }
}

function measuredSleep(record: AppleRecord): Measured {
  const { value = "" } = record.attributes;
  const minutes = { value: lengthMinutes(record), unit: "min" };
  if (value === "HKCategoryValueSleepAnalysisInBed") return { type: "timeInBed", ...minutes };
  if (value === "HKCategoryValueSleepAnalysisAwake") return { type: "awakeTime", ...minutes };
  return { type: "sleepAnalysis", ...minutes };
}

function lengthMinutes({ attributes }: AppleRecord): number | undefined {
  const startMs = Date.parse(appleTime(attributes["startDate"])?.iso ?? "");
  const endMs = Date.parse(appleTime(attributes["endDate"])?.iso ?? "");
  return Number.isFinite(endMs - startMs) ? (endMs - startMs) / MINUTE_MS : undefined;
}

const APPLE_TIME = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) ([+-])(\d{2})(\d{2})$/;

export interface AppleTime {
  readonly iso: string;
  /** Minutes east of UTC. */
  readonly offsetMinutes: number;
}

/** "2024-03-01 08:15:00 +0100" as ISO 8601; undefined for anything else. */
export function appleTime(text: string | undefined): AppleTime | undefined {
  const match = text === undefined ? null : APPLE_TIME.exec(text);
  if (!match) return undefined;
  const [, date, time, sign, hours, minutes] = match;
  const offset = Number(hours) * 60 + Number(minutes);
  return { iso: `${date}T${time}${sign}${hours}:${minutes}`, offsetMinutes: sign === "-" ? -offset : offset };
}

/**
 * The record as a sample. A record has no id: it is the hash of type, source, version, start, end and how often these
 * came before in the file, without the value, so that a corrected value corrects.
 */
export function appleSample(
  record: AppleRecord,
  measured: Measured,
  occurrences: Occurrences,
  timezone: string | undefined,
): ReplaySample {
  const { sourceName, sourceVersion, startDate, endDate, creationDate } = record.attributes;
  const start = appleTime(startDate);
  const stage = stageOf(record);
  const metadata = stage === undefined ? record.metadata : { ...record.metadata, HKCategoryValue: stage };
  const created = appleTime(creationDate)?.iso;
  return {
    id: recordId([measured.type, sourceName ?? "", sourceVersion ?? "", startDate ?? "", endDate ?? ""], occurrences),
    type: measured.type,
    value: measured.value,
    unit: measured.unit,
    startDate: start?.iso ?? startDate,
    endDate: appleTime(endDate)?.iso ?? endDate,
    ...(sourceName === undefined ? {} : { sourceBundle: sourceName }),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...(created === undefined ? {} : { createdAt: created }),
    // The offset that Apple wrote keeps the local day where nobody knows the zone.
    ...(timezone !== undefined ? { timezone } : start ? { timezoneOffset: start.offsetMinutes } : {}),
  };
}

/** The stage of sleep is content: it says what the minutes were. */
function stageOf({ attributes }: AppleRecord): string | undefined {
  return attributes["type"] === "HKCategoryTypeIdentifierSleepAnalysis" ? attributes["value"] : undefined;
}

function recordId(parts: readonly string[], occurrences: Occurrences): string {
  const key = parts.map((part) => `${part.length}:${part}`).join("");
  const digest = createHash("sha256").update(key).digest();
  const occurrence = occurrences.next(digest.readUInt32BE(0), digest.readUInt32BE(4));
  return `apple-${digest.toString("hex", 0, 16)}-${occurrence}`;
}
