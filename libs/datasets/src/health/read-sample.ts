import { daysFromCivil, eventZone, findZone, type Zone } from "@firn/core";

import { readMeasure } from "./measure.ts";
import {
  optionalBoolean,
  optionalInstant,
  optionalOffset,
  optionalText,
  optionalTextMap,
  requiredInstant,
  requiredText,
} from "../payload/read-fields.ts";
import { excerpt, wrongKind, type RecordProblems } from "../payload/record-problems.ts";

/** The payload's own fields as its samples' rows repeat them. */
export interface PayloadFields {
  readonly deviceId: string;
  readonly userId: string;
  readonly appVersion: string;
  readonly payloadTimestampUs: number;
}

/** A sample that passed every rule; times in microseconds UTC, the date in days. Names are those of raw's columns. */
export interface HealthSample {
  readonly sample_id: string;
  readonly data_type: string;
  readonly value: number;
  readonly unit: string;
  readonly start_date: number;
  readonly end_date: number;
  readonly source_bundle: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly is_synced: boolean;
  readonly created_at: number;
  readonly timezone: string | null;
  readonly timezone_offset: number | null;
  readonly local_date: number;
}

export interface SampleRules {
  readonly strict: boolean;
  readonly defaultZone: Zone;
}

/** Metadata key under which HealthKit keeps the zone of the measurement. */
export const ZONE_KEY = "HKTimeZone";

const DAY_US = 86_400_000_000;
const START_YEAR_MIN = 1900;
const START_YEAR_MAX = 2199;
const START_US_MIN = daysFromCivil(START_YEAR_MIN, 1, 1) * DAY_US;
const START_US_END = daysFromCivil(START_YEAR_MAX + 1, 1, 1) * DAY_US;
const LONG_US = 7 * DAY_US;

/**
 * Reads a sample against every rule of the lake. What it returns may be stored only when `problems` stayed empty.
 * Fields that no rule names are ignored: newer clients may send more.
 */
export function readSample(
  input: unknown,
  payload: PayloadFields,
  rules: SampleRules,
  problems: RecordProblems,
): HealthSample | undefined {
  if (input === null || typeof input !== "object" || Array.isArray(input)) {
    problems.add(wrongKind("sample", input, "an object"));
    return undefined;
  }
  const sample = input as Record<string, unknown>;
  const id = requiredText(sample["id"], "id", problems);
  const type = requiredText(sample["type"], "type", problems);
  const unit = requiredText(sample["unit"], "unit", problems);
  const measure = readMeasure(type, sample["value"], unit, rules.strict, problems);
  const startUs = readStart(sample["startDate"], problems);
  const endUs = readEnd(sample["endDate"], sample["startDate"], startUs, problems);
  const metadata = optionalTextMap(sample["metadata"], "metadata", problems);
  const offset = optionalOffset(sample["timezoneOffset"], "timezoneOffset", problems);
  const timezone = optionalText(sample["timezone"], "timezone", problems);
  const zone = zoneOf(metadata?.[ZONE_KEY], timezone, offset, rules.defaultZone, problems);
  const sourceBundle = optionalText(sample["sourceBundle"], "sourceBundle", problems);
  const isSynced = optionalBoolean(sample["isSynced"], "isSynced", problems);
  const createdAtUs = readCreated(sample, startUs, payload.payloadTimestampUs, problems);
  if (problems.some) return undefined;
  return {
    sample_id: id,
    data_type: measure.type,
    value: measure.value,
    unit: measure.unit,
    start_date: startUs,
    end_date: endUs,
    source_bundle: sourceBundle,
    metadata,
    is_synced: isSynced,
    created_at: createdAtUs,
    timezone,
    timezone_offset: offset,
    local_date: zone.localDateAt(startUs),
  };
}

function readStart(value: unknown, problems: RecordProblems): number {
  const us = requiredInstant(value, "startDate", problems);
  if (us < START_US_MIN || us >= START_US_END) {
    problems.add(`startDate ${excerpt(value)} is out of range: its year must be ${START_YEAR_MIN}–${START_YEAR_MAX}`);
  }
  return us;
}

function readEnd(value: unknown, start: unknown, startUs: number, problems: RecordProblems): number {
  // Most samples are points in time.
  if (value === start && startUs === startUs) return startUs;
  const us = requiredInstant(value, "endDate", problems);
  if (us < startUs) {
    problems.add(`endDate ${excerpt(value)} is before startDate ${excerpt(start)}: startDate must be ≤ endDate`);
  } else if (us - startUs > LONG_US) problems.warn("longer_than_7_days");
  return us;
}

function readCreated(
  { createdAt, startDate }: Record<string, unknown>,
  startUs: number,
  absentUs: number,
  problems: RecordProblems,
): number {
  // Many apps record at the instant that they measure.
  if (createdAt === startDate && startUs === startUs) return startUs;
  return optionalInstant(createdAt, "createdAt", absentUs, problems);
}

/** The zone of the measurement, else the phone's at the sync, else its offset, else the lake's. */
function zoneOf(
  measured: unknown,
  timezone: string | null,
  offset: number | null,
  defaultZone: Zone,
  problems: RecordProblems,
): Zone {
  const zones = {
    measured: typeof measured === "string" ? knownZone(measured, `metadata.${ZONE_KEY}`, problems) : undefined,
    named: timezone === null ? undefined : knownZone(timezone, "timezone", problems),
    offsetMinutes: offset,
  };
  return eventZone(zones, defaultZone);
}

function knownZone(name: string, field: string, problems: RecordProblems): Zone | undefined {
  const zone = findZone(name);
  if (zone === undefined) {
    problems.add(`${field} ${excerpt(name)} is unknown: it must be a name of the IANA time-zone database`);
  }
  return zone;
}
