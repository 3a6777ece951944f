import type { TableDefinition } from "@firn/core";

import { optional, partitionField, required } from "./table-columns.ts";

/** The dead letters of a lake: the same columns in every lake. */
export function errorsTable(
  namespace: string,
  name: string,
  properties: Readonly<Record<string, string>>,
): TableDefinition {
  return {
    namespace,
    name,
    columns: [
      required("error_id", "string", "hash of dataset, user, device, error type and original bytes"),
      required("error_type", "string", "validation, deserialization, transformation, schema or processing error"),
      required("error_message", "string", "field, the value's problem and the rule"),
      required("error_timestamp", "timestamptz", "when the record was refused"),
      optional("raw_payload", "string", "the refused bytes as they came; base64:… where they are not UTF-8"),
      optional("user_id", "string", "person, where known"),
      optional("device_id", "string", "device, where known"),
      optional("sample_id", "string", "the record's own id, where known"),
      optional("data_type", "string", "kind of the record as sent, where known"),
      required("kafka_topic", "string", "Kafka topic, else stream subject"),
      required("kafka_partition", "long", "Kafka partition, else shard"),
      required("kafka_offset", "long", "Kafka offset, else stream sequence"),
    ],
    identity: ["error_id"],
    partition: [
      partitionField("error_timestamp", "day", "error_timestamp_day"),
      partitionField("error_type", "identity", "error_type"),
    ],
    sort: ["error_timestamp", "error_id"],
    properties,
  };
}
