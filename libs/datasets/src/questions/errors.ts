import { defineQuestion, type AnswerColumn } from "@firn/core";
import { cursor, endTime, errorType, limit, orderedTime, startTime } from "./shared-parameters.ts";

/** The dead letters of a lake: every lake has the same table and answers the same question. */

export const ERROR_COLUMNS = [
  { name: "error_id", type: "string" },
  { name: "error_type", type: "string" },
  { name: "error_message", type: "string" },
  { name: "error_timestamp", type: "timestamptz" },
  {
    name: "raw_payload",
    type: "string",
    optional: true,
    doc: "The original bytes; `base64:…` where they are not UTF-8.",
  },
  { name: "user_id", type: "string", optional: true },
  { name: "device_id", type: "string", optional: true },
  { name: "sample_id", type: "string", optional: true },
  { name: "data_type", type: "string", optional: true },
  { name: "kafka_topic", type: "string", doc: "Topic, or the stream subject of a record that came by HTTP or file." },
  { name: "kafka_partition", type: "long" },
  { name: "kafka_offset", type: "long" },
] as const satisfies readonly AnswerColumn[];

/** `GET /api/<lake>/errors` of a lake whose records belong to nobody. */
export function errorsQuestion<const D extends string>(dataset: D) {
  return defineQuestion({
    dataset,
    name: "errors",
    summary: "Dead letters",
    doc: "Rejected records with the reason and their original bytes.",
    parameters: [errorType, startTime, endTime, limit, cursor],
    rules: [orderedTime],
    columns: ERROR_COLUMNS,
    order: "error_timestamp, newest first; then error_id",
  });
}
