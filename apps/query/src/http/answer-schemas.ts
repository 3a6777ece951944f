import type { AnswerColumn, AnswerType } from "@firn/client";

/** JSON Schemas of answers: of their columns, and of what all of them have. */

type Json = Record<string, unknown>;

/** Of a value in this column; null too where the column is optional. */
export function columnSchema({ type, optional, doc }: AnswerColumn): Json {
  const json = jsonTypeOf(type);
  const types = [json["type"]].flat() as string[];
  return {
    ...json,
    type: optional === true ? [...types, "null"] : json["type"],
    ...(doc === undefined ? {} : { description: doc }),
  };
}

/** Of a value of this type, as JSON has it. */
export function jsonTypeOf(type: AnswerType): Json {
  switch (type) {
    case "string":
      return { type: "string" };
    case "boolean":
      return { type: "boolean" };
    case "int":
      return { type: "integer" };
    case "long":
      // Text beyond 2^53.
      return { type: ["integer", "string"] };
    case "double":
      return { type: "number" };
    case "date":
      return { type: "string", format: "date" };
    case "timestamptz":
      return { type: "string", format: "date-time" };
    case "map<string,string>":
      return { type: "object", additionalProperties: { type: ["string", "null"] } };
  }
}

const whole = { type: "integer", minimum: 0 };
const counts = ["received", "stored", "corrected", "duplicates", "rejected", "deleted"];
const lags = ["intake", "accepted", "rejected", "rollup"];
const wholes = (names: readonly string[]): Json => ({
  type: "object",
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, whole])),
});

/** By their names among the components: what every answer holds beside `data`, and the pipeline. */
export const SHARED_SCHEMAS: Record<string, Json> = {
  AnswerMeta: {
    type: "object",
    required: ["tables", "complete_through"],
    properties: {
      tables: {
        type: "object",
        description: "The snapshot that was read, by table; null for a table that had none.",
        additionalProperties: {
          type: "object",
          required: ["snapshot_id"],
          properties: { snapshot_id: { type: ["string", "null"] } },
        },
      },
      complete_through: {
        type: ["string", "null"],
        format: "date-time",
        description: "Everything acknowledged before this instant is in the answer; null where that is not known.",
      },
      unit: {
        description: "Unit of the values; by data type where several are asked for.",
        type: ["string", "null", "object"],
        additionalProperties: { type: ["string", "null"] },
      },
    },
  },
  Page: {
    type: "object",
    required: ["cursor"],
    properties: { cursor: { type: ["string", "null"], description: "Where the next page starts; null on the last." } },
  },
  AnswerStats: {
    type: "object",
    required: ["rows", "files_read", "bytes_read", "cached", "cost_usd", "elapsed_ms"],
    properties: {
      rows: whole,
      files_read: whole,
      bytes_read: { ...whole, description: "Compressed bytes of the column chunks that could not be left out." },
      cached: { type: "boolean", description: "Answered from the same snapshot before: no file was read." },
      cost_usd: { type: "number", minimum: 0, description: "At $5 per TB read." },
      elapsed_ms: { type: "number", minimum: 0 },
    },
  },
  Pipeline: {
    type: "object",
    required: ["settled", "parked", "lag", "datasets"],
    properties: {
      settled: {
        type: "boolean",
        description: "Everything acknowledged before the request is in raw or errors, and every aggregate equals raw.",
      },
      parked: {
        type: "array",
        items: {
          type: "object",
          required: ["stage", "shard", "reason", "fix"],
          properties: {
            stage: { type: "string" },
            shard: { type: ["integer", "string"] },
            reason: { type: "string" },
            fix: { type: "string" },
          },
        },
      },
      lag: { ...wholes(lags), description: "In messages." },
      datasets: { type: "object", additionalProperties: { ...wholes(counts), description: "In records." } },
    },
  },
};
