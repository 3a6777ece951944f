import type { Zone } from "@firn/core";

import { formatLocal, isRealTime, plusSeconds, zonedIso, type LocalTime } from "./local-time.ts";
import type { ReplaySample } from "./payload-line.ts";

/** Cells by normalised column name; an empty cell is absent. */
export type FitbitRow = Readonly<Record<string, string | undefined>>;

/** One kind of file of a Fitbit export, known by the columns of its header. */
export interface FitbitKind {
  readonly name: string;
  readonly columns: readonly string[];
  samples(row: FitbitRow, zone: Zone): readonly ReplaySample[];
}

const SOURCE_BUNDLE = "com.fitbit.FitbitMobile";
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;

/** "Activity Day" and "ActivityDay" are one column. */
export function normalHeader(text: string): string {
  return text
    .replace(/^\uFEFF/, "")
    .replace(/[\s"_]/g, "")
    .toLowerCase();
}

export const fitbitKinds: readonly FitbitKind[] = [
  {
    name: "hourlySteps",
    columns: ["id", "activityhour", "steptotal"],
    samples: (row, zone) => [
      sample(row, zone, {
        type: "stepCount",
        unit: "count",
        cell: "steptotal",
        time: hourText(row),
        seconds: HOUR_SECONDS,
      }),
    ],
  },
  {
    // The whole expenditure of the hour, basal rate included: neither active nor basal energy alone.
    name: "hourlyCalories",
    columns: ["id", "activityhour", "calories"],
    samples: (row, zone) => [
      sample(row, zone, {
        type: "totalEnergyBurned",
        unit: "kcal",
        cell: "calories",
        time: hourText(row),
        seconds: HOUR_SECONDS,
      }),
    ],
  },
  {
    name: "heartrateSeconds",
    columns: ["id", "time", "value"],
    samples: (row, zone) => [
      sample(row, zone, { type: "heartRate", unit: "count/min", cell: "value", time: row["time"], seconds: 0 }),
    ],
  },
  {
    // The source names the day that the night belongs to and no hours, so the interval is that day.
    name: "sleepDay",
    columns: ["id", "sleepday", "totalminutesasleep", "totaltimeinbed"],
    samples: (row, zone) => {
      const of = { unit: "min", time: row["sleepday"], seconds: DAY_SECONDS };
      return [
        sample(row, zone, { type: "sleepAnalysis", cell: "totalminutesasleep", ...of }),
        sample(row, zone, { type: "timeInBed", cell: "totaltimeinbed", ...of }),
      ];
    },
  },
  {
    name: "weightLogInfo",
    columns: ["id", "date", "weightkg"],
    samples: (row, zone) => {
      const manual = { HKWasUserEntered: row["ismanualreport"]?.toLowerCase() === "true" ? "1" : "0" };
      const of = { time: row["date"], seconds: 0, metadata: manual };
      const all = [sample(row, zone, { type: "bodyMass", unit: "kg", cell: "weightkg", ...of })];
      if (row["bmi"]) all.push(sample(row, zone, { type: "bodyMassIndex", unit: "count", cell: "bmi", ...of }));
      if (row["fat"]) all.push(sample(row, zone, { type: "bodyFatPercentage", unit: "%", cell: "fat", ...of }));
      return all;
    },
  },
];

interface SampleSpec {
  readonly type: string;
  readonly unit: string;
  readonly cell: string;
  readonly time: string | undefined;
  /** Length of the interval on the wall clock. */
  readonly seconds: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

function sample(row: FitbitRow, zone: Zone, spec: SampleSpec): ReplaySample {
  const start = spec.time === undefined ? undefined : parseFitbitTime(spec.time);
  return {
    id: `fitbit-${spec.type}-${row["id"] ?? ""}-${start ? formatLocal(start) : (spec.time ?? "")}`,
    type: spec.type,
    value: numberOrText(row[spec.cell]),
    unit: spec.unit,
    startDate: start ? zonedIso(start, zone) : spec.time,
    endDate: start ? zonedIso(plusSeconds(start, spec.seconds), zone) : spec.time,
    sourceBundle: SOURCE_BUNDLE,
    ...(spec.metadata ? { metadata: spec.metadata } : {}),
    timezone: zone.name,
  };
}

/** Day and hour stand in two columns or in one. */
function hourText(row: FitbitRow): string | undefined {
  const hour = row["activityhour"];
  const day = row["activityday"] ?? row["activitydate"];
  return day !== undefined && hour !== undefined ? `${day} ${hour}` : hour;
}

const FITBIT_TIME = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?(AM|PM))?)?$/i;

/** M/D/YYYY, with H:MM:SS or h:mm:ss AM/PM behind it or nothing; undefined for anything else. */
export function parseFitbitTime(text: string): LocalTime | undefined {
  const match = FITBIT_TIME.exec(text);
  if (!match) return undefined;
  const [, month, day, year, hourDigits = "0", minute = "0", second = "0", half] = match;
  let hour = Number(hourDigits);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (half.toUpperCase() === "PM" ? 12 : 0);
  }
  const time = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour,
    minute: Number(minute),
    second: Number(second),
  };
  return isRealTime(time) ? time : undefined;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Text that is no number goes on as text, so that it ends as a dead letter with its bytes. */
export function numberOrText(text: string | undefined): number | string | undefined {
  return text !== undefined && NUMBER.test(text) ? Number(text) : text;
}
