import { LIMIT_MAX, defineQuestion } from "@firn/core";
import {
  cursor,
  endTime,
  errorType,
  limit,
  localRange,
  ordered,
  orderedTime,
  startTime,
  wholeRange,
} from "../../questions/shared-parameters.ts";
import { ERROR_COLUMNS } from "../../questions/errors.ts";
import { DAILY_COLUMNS, MONTHLY_COLUMNS, RAW_COLUMNS, WEEKLY_COLUMNS } from "./columns.ts";

/** The questions of the health lake (namespace `health_db`). */

const userId = { name: "user_id", kind: "text", doc: "Whose data.", example: "user-1" } as const;
const dataType = {
  name: "data_type",
  kind: "texts",
  itemsMax: 50,
  doc: "One or several types, separated by commas. Aliases and HealthKit names are understood.",
  example: "heartRate",
} as const;
const requiredUser = { ...userId, required: true } as const;
const requiredType = { ...dataType, required: true } as const;
const { startDate, endDate } = localRange;

const last = (periods: string) =>
  ({
    name: "last",
    kind: "integer",
    min: 1,
    max: LIMIT_MAX,
    doc: `The latest N ${periods} that have data, of all types asked for together.`,
    example: 30,
  }) as const;
const year = (doc: string) => ({ name: "year", kind: "integer", min: 1, max: 9999, doc, example: 2026 }) as const;

const SHARED_MEASURES = [
  "avg_value",
  "min_value",
  "max_value",
  "sum_value",
  "count",
  "stddev_value",
  "record_count",
] as const;
const DAY_MEASURES = ["first_value", "last_value"] as const;
const PERIOD_MEASURES = ["daily_avg_of_avg", "day_count", "daily_avg_of_sum"] as const;

const periodRules = [ordered, { kind: "exclusive", groups: [["start_date", "end_date"], ["year"], ["last"]] }] as const;

const healthDaily = defineQuestion({
  dataset: "health",
  name: "daily",
  summary: "Daily statistics of a user and type",
  doc: "One row a local date. Without a range: every date that has data.",
  parameters: [requiredUser, requiredType, startDate, endDate, last("days"), wholeRange, cursor],
  rules: [ordered, { kind: "exclusive", groups: [["start_date", "end_date"], ["last"]] }],
  columns: DAILY_COLUMNS,
  order: "aggregation_date, data_type",
});

const healthWeekly = defineQuestion({
  dataset: "health",
  name: "weekly",
  summary: "Weekly statistics of a user and type",
  doc: "One row an ISO week (Monday to Sunday): every week that overlaps the range.",
  parameters: [
    requiredUser,
    requiredType,
    startDate,
    endDate,
    year("The ISO year: its weeks 1 to 52 or 53."),
    last("weeks"),
    wholeRange,
    cursor,
  ],
  rules: periodRules,
  columns: WEEKLY_COLUMNS,
  order: "week_start_date, data_type",
});

const healthMonthly = defineQuestion({
  dataset: "health",
  name: "monthly",
  summary: "Monthly statistics of a user and type",
  doc: "One row a calendar month: every month that overlaps the range.",
  parameters: [
    requiredUser,
    requiredType,
    startDate,
    endDate,
    year("The calendar year."),
    last("months"),
    wholeRange,
    cursor,
  ],
  rules: periodRules,
  columns: MONTHLY_COLUMNS,
  order: "month_start_date, data_type",
});

const healthCompare = defineQuestion({
  dataset: "health",
  name: "compare",
  summary: "Months of several years side by side",
  doc: "One row a month that has data in any of the years, one column a year, null where a year has none. Rows of several types carry data_type.",
  parameters: [
    requiredUser,
    requiredType,
    {
      name: "years",
      kind: "integers",
      required: true,
      min: 1,
      max: 9999,
      itemsMax: 50,
      doc: "The years, separated by commas.",
      example: "2025,2026",
    },
    {
      name: "measure",
      kind: "choice",
      choices: [...SHARED_MEASURES, ...PERIOD_MEASURES],
      default: "avg_value",
      doc: "Which column of the monthly table is compared.",
    },
  ],
  rules: [],
  columns: [{ name: "month", type: "int", doc: "1 to 12." }],
  columnsFrom: { parameter: "years", type: "double" },
  order: "month, data_type",
});

const healthTop = defineQuestion({
  dataset: "health",
  name: "top",
  summary: "Top records",
  doc: "Rows of the aggregate with the greatest measure, best first. Rows without the measure are left out.",
  parameters: [
    requiredType,
    {
      name: "period",
      kind: "choice",
      choices: ["daily", "weekly", "monthly"],
      default: "daily",
      doc: "Which aggregate.",
    },
    {
      name: "by",
      kind: "choice",
      choices: [...SHARED_MEASURES, ...DAY_MEASURES, ...PERIOD_MEASURES],
      default: "avg_value",
      doc: "Which column decides.",
    },
    limit,
    userId,
    startDate,
    endDate,
  ],
  rules: [
    ordered,
    { kind: "only_with", parameter: "by", values: PERIOD_MEASURES, other: "period", otherIn: ["weekly", "monthly"] },
    { kind: "only_with", parameter: "by", values: DAY_MEASURES, other: "period", otherIn: ["daily"] },
  ],
  columns: DAILY_COLUMNS,
  columnsBy: {
    parameter: "period",
    columns: { daily: DAILY_COLUMNS, weekly: WEEKLY_COLUMNS, monthly: MONTHLY_COLUMNS },
  },
  order: "the measure, greatest first; then user_id, data_type, period",
});

const healthRaw = defineQuestion({
  dataset: "health",
  name: "raw",
  summary: "Raw samples of a user",
  doc: "Samples whose start_date lies in the range.",
  parameters: [requiredUser, dataType, startTime, endTime, limit, cursor],
  rules: [orderedTime],
  columns: RAW_COLUMNS,
  order: "start_date, sample_id",
});

const healthErrors = defineQuestion({
  dataset: "health",
  name: "errors",
  summary: "Dead letters",
  doc: "Rejected records with the reason and their original bytes.",
  parameters: [userId, errorType, startTime, endTime, limit, cursor],
  rules: [orderedTime],
  columns: ERROR_COLUMNS,
  order: "error_timestamp, newest first; then error_id",
});

export const healthTypes = defineQuestion({
  dataset: "health",
  name: "types",
  summary: "What a user has",
  doc: "One row a data type, with its first and last local date and the number of rows. Read from the daily table.",
  parameters: [requiredUser, dataType],
  rules: [],
  columns: [
    { name: "data_type", type: "string" },
    { name: "unit", type: "string", optional: true },
    { name: "first_date", type: "string" },
    { name: "last_date", type: "string" },
    { name: "rows", type: "long" },
  ],
  order: "data_type",
});

const healthLatest = defineQuestion({
  dataset: "health",
  name: "latest",
  summary: "Newest samples of a user",
  doc: "The newest samples by start_date.",
  parameters: [requiredUser, dataType, limit],
  rules: [],
  columns: RAW_COLUMNS,
  order: "start_date, newest first; then sample_id",
});

export const HEALTH_QUESTIONS = [
  healthDaily,
  healthWeekly,
  healthMonthly,
  healthCompare,
  healthTop,
  healthRaw,
  healthErrors,
  healthTypes,
  healthLatest,
] as const;
