import { isoWeekOf, mondayOf, parseDate } from "@firn/core";
import { addDays } from "../src/parameters/instant.ts";
import type { Row } from "./small-lake.ts";

/** A deterministic sequence of numbers from 0 to 1 (Mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Sample {
  readonly user: string;
  readonly type: string;
  readonly id: string;
  readonly at: string;
  readonly value: number;
}

export const USERS = ["anna", 'bob\'s "user"', "çelik 💚"];
export const TYPES = ["heartRate", "stepCount"];

/** Samples of UTC days, so that the local date is the date of the instant. */
export function samples(from: string, days: number, perDay: number, seed = 1): Sample[] {
  const random = numbers(seed);
  const made: Sample[] = [];
  for (let day = 0; day < days; day++) {
    for (const user of USERS) {
      for (const type of TYPES) {
        if (random() < 0.2) continue;
        for (let n = 0; n < perDay; n++) {
          const ms = Math.floor(random() * 86_400_000);
          const at = new Date(Date.parse(`${addDays(from, day)}T00:00:00Z`) + ms).toISOString();
          made.push({ user, type, id: `${type}-${day}-${n}`, at, value: Math.round(random() * 1000) / 10 + 40 });
        }
      }
    }
  }
  return made;
}

export const unitOf = (type: string): string => (type === "heartRate" ? "count/min" : "count");

export function rawRow({ user, type, id, at, value }: Sample): Row {
  return {
    device_id: "phone",
    user_id: user,
    sample_id: id,
    data_type: type,
    value,
    unit: unitOf(type),
    start_date: at,
    end_date: at,
    source_bundle: null,
    metadata: id.endsWith("-0") ? { HKTimeZone: "UTC", 'a "key"': "ünï" } : null,
    is_synced: false,
    created_at: at,
    payload_timestamp: at,
    app_version: "",
    processing_time: "2026-06-01T00:00:00.123456Z",
    timezone: null,
    timezone_offset: 0,
    local_date: at.slice(0, 10),
  };
}

type Period = "day" | "week" | "month";

/** The aggregates of samples, computed one by one. */
export function aggregate(all: readonly Sample[], period: Period): Row[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of all) {
    const key = JSON.stringify([sample.user, sample.type, periodStart(sample.at.slice(0, 10), period)]);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups].map(([key, group]) => {
    const [user, type, start] = JSON.parse(key) as [string, string, string];
    return { user_id: user, data_type: type, ...periodColumns(start, period), ...measures(group, period) };
  });
}

export function periodStart(date: string, period: Period): string {
  if (period === "day") return date;
  if (period === "month") return `${date.slice(0, 8)}01`;
  return addDays("1970-01-01", mondayOf(parseDate(date)!));
}

function periodColumns(start: string, period: Period): Row {
  const end = lastDay(start, period);
  const bounds = { window_start: `${start}T00:00:00Z`, window_end: `${addDays(end, 1)}T00:00:00Z` };
  if (period === "day") return { aggregation_date: start, ...bounds };
  if (period === "month") {
    const [year, month] = [Number(start.slice(0, 4)), Number(start.slice(5, 7))];
    return { year, month, month_start_date: start, month_end_date: end, ...bounds };
  }
  const { year, week } = isoWeekOf(parseDate(start)!);
  return { week_start_date: start, week_end_date: end, year, week_of_year: week, ...bounds };
}

export function lastDay(start: string, period: Period): string {
  if (period === "day") return start;
  if (period === "week") return addDays(start, 6);
  return addDays(periodStart(addDays(start, 31), "month"), -1);
}

function measures(group: readonly Sample[], period: Period): Row {
  const ordered = [...group].sort((one, other) => (one.at + one.id < other.at + other.id ? -1 : 1));
  const values = ordered.map((sample) => sample.value);
  const sum = values.reduce((total, value) => total + value, 0);
  const avg = sum / values.length;
  const variance = values.reduce((total, value) => total + (value - avg) ** 2, 0) / values.length;
  const byDay = groupByDay(ordered);
  const dailyMeans = [...byDay.values()].map((day) => day.reduce((total, one) => total + one.value, 0) / day.length);
  const shared = {
    min_value: Math.min(...values),
    max_value: Math.max(...values),
    avg_value: avg,
    sum_value: sum,
    count: values.length,
    stddev_value: Math.sqrt(variance),
    record_count: values.length,
    updated_at: "2026-06-01T00:00:00Z",
    timezone: "UTC",
  };
  if (period === "day") return { ...shared, first_value: values[0], last_value: values.at(-1) };
  return {
    ...shared,
    daily_avg_of_avg: dailyMeans.reduce((total, mean) => total + mean, 0) / dailyMeans.length,
    day_count: dailyMeans.length,
    daily_avg_of_sum: sum / dailyMeans.length,
  };
}

function groupByDay(all: readonly Sample[]): Map<string, Sample[]> {
  const days = new Map<string, Sample[]>();
  for (const sample of all) {
    const day = sample.at.slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), sample]);
  }
  return days;
}

export function errorRow(index: number): Row {
  const at = new Date(Date.parse("2026-03-01T00:00:00Z") + Math.floor(index / 3) * 7_200_000).toISOString();
  return {
    error_id: `e${String((index * 7919) % 1000).padStart(4, "0")}`,
    error_type: index % 4 === 0 ? "deserialization_error" : "validation_error",
    error_message: "value: 500 is above 250 (range)",
    error_timestamp: at,
    raw_payload: index % 5 === 0 ? "base64:/w==" : '{"value":500}',
    user_id: index % 7 === 0 ? null : USERS[index % 3],
    device_id: "phone",
    sample_id: null,
    data_type: null,
    kafka_topic: "intake.health.1",
    kafka_partition: 1,
    kafka_offset: index === 1 ? 9007199254740993n : index,
  };
}
