/**
 * A lake as docs/adding-a-dataset.md says to make one: tide gauges, with hourly heights and their daily and monthly
 * statistics. It stands in one folder; e2e/toy-lake.test.ts has its line of the registry.
 */
import { RecordRun, type RecordRules } from "@firn/datasets";
import type { Dataset, EnvelopeCheck } from "@firn/core";
import { tideQuestions } from "./questions.ts";
import { tideTables } from "./tables.ts";
import { readTide } from "./read-tide.ts";

export function createTidesDataset(namespace = "tides"): Dataset {
  const { raw, errors, daily, monthly } = tideTables(namespace);
  const rules: RecordRules<string> = {
    dataset: "tides",
    raw,
    member: "readings",
    record: "reading",
    checkEnvelope,
    readFields: (payload) => payload["gauge"] as string,
    readRecord: readTide,
    senderOf: (payload) => ({ userId: null, deviceId: typeof payload["gauge"] === "string" ? payload["gauge"] : null }),
    nameOf: () => ({ sampleId: null, dataType: null }),
  };
  const measures = [
    { column: "highest_cm", fold: "max", of: "height_cm" },
    { column: "lowest_cm", fold: "min", of: "height_cm" },
    { column: "mean_temperature", fold: "avg", of: "water_temperature" },
    { column: "readings", fold: "record_count", of: "height_cm" },
  ] as const;
  return {
    name: "tides",
    namespace,
    payload: {
      records: "readings",
      schema: {
        type: "object",
        required: ["gauge", "readings"],
        properties: { gauge: { type: "string" }, readings: { type: "array", items: { type: "object" } } },
      },
    },
    raw,
    errors,
    rollups: [
      {
        name: "daily",
        period: "day",
        table: daily,
        dimensions: ["gauge"],
        periodColumns: { start: "day" },
        measures: [...measures, { column: "total_height_cm", fold: "sum", of: "height_cm" }],
      },
      {
        name: "monthly",
        period: "month",
        table: monthly,
        dimensions: ["gauge"],
        periodColumns: { start: "month_start", number: "month", windowStart: "window_start", windowEnd: "window_end" },
        measures,
      },
    ],
    identity: ["gauge", "at"],
    content: ["height_cm", "water_temperature"],
    eventTime: "at",
    eventOrder: ["at", "gauge"],
    time: { localDate: "local_date" },
    questions: tideQuestions,
    checkEnvelope,
    beginRun: (_options, processedAtUs) => new RecordRun(rules, processedAtUs),
  };
}

function checkEnvelope(parsed: unknown): EnvelopeCheck {
  const { gauge, readings } = (parsed ?? {}) as Record<string, unknown>;
  if (typeof gauge !== "string" || gauge === "")
    return { ok: false, problems: [{ field: "gauge", rule: "text", message: "gauge must be a non-empty string" }] };
  if (!Array.isArray(readings))
    return { ok: false, problems: [{ field: "readings", rule: "array", message: "readings must be an array" }] };
  return { ok: true, shardKey: gauge, records: readings.length };
}
