import { LIMIT_MAX } from "@firn/core";

/** Parameters and rules that questions of several lakes have. Ranges include both dates; the end of a range of instants is exclusive. */

export const dateRange = <const F extends string, const L extends string>(
  first: F,
  last: L,
  example: readonly [string, string],
) =>
  ({
    startDate: { name: "start_date", kind: "date", doc: first, example: example[0] },
    endDate: { name: "end_date", kind: "date", doc: last, example: example[1] },
  }) as const;

export const localRange = dateRange("First local date, inclusive.", "Last local date, inclusive.", [
  "2026-01-01",
  "2026-01-31",
]);

export const startTime = {
  name: "start_time",
  kind: "instant",
  doc: "First instant, inclusive.",
  example: "2026-01-01T00:00:00Z",
} as const;
export const endTime = {
  name: "end_time",
  kind: "instant",
  doc: "Where the range ends, exclusive.",
  example: "2026-02-01T00:00:00Z",
} as const;
export const cursor = {
  name: "cursor",
  kind: "cursor",
  doc: "`page.cursor` of the page before; the other parameters stay the same.",
} as const;
export const limit = {
  name: "limit",
  kind: "integer",
  min: 1,
  max: LIMIT_MAX,
  default: 100,
  doc: "The most rows of a page.",
} as const;
export const wholeRange = { ...limit, default: LIMIT_MAX } as const;
export const errorType = {
  name: "error_type",
  kind: "choice",
  choices: ["validation_error", "deserialization_error", "transformation_error", "schema_error", "processing_error"],
  doc: "Only errors of this type.",
} as const;

export const ordered = { kind: "ordered", from: "start_date", to: "end_date" } as const;
export const orderedTime = { kind: "ordered", from: "start_time", to: "end_time" } as const;
