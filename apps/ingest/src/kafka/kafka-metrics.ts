import type { Metrics } from "@firn/service";

import type { IngestMetrics } from "../ingest-metrics.ts";
import type { PlacedMessage } from "./kafka-payload.ts";

export interface KafkaMetrics {
  appended(topic: string, messages: readonly PlacedMessage[]): void;
  held(topic: string, reason: string): void;
  joined(partitions: number): void;
}

export function createKafkaMetrics(metrics: Metrics, ingest: IngestMetrics): KafkaMetrics {
  const messages = metrics.counter({
    name: "ingest_kafka_messages_total",
    help: "Kafka messages taken in.",
    labels: ["topic"],
  });
  const refused = metrics.counter({
    name: "ingest_kafka_refused_total",
    help: "Kafka messages that ingest itself could not read: dead letters.",
    labels: ["topic", "error_type"],
  });
  const held = metrics.counter({
    name: "ingest_kafka_held_total",
    help: "How often a partition was paused because something did not answer, by what.",
    labels: ["topic", "reason"],
  });
  const joins = metrics.counter({ name: "ingest_kafka_joins_total", help: "How often the consumer joined its group." });
  const assigned = metrics.gauge({
    name: "ingest_kafka_partitions",
    help: "Partitions that the group gave to this process.",
  });
  return {
    appended(topic, taken) {
      messages.inc({ topic }, taken.length);
      for (const { placed, records } of taken) {
        const { dataset, payload } = placed[0]!;
        const bytes = placed.reduce((sum, one) => sum + one.payload.bytes.length, 0);
        ingest.accepted(dataset, { payloads: 1, records, bytes });
        if (payload.refused) refused.inc({ topic, error_type: payload.refused.errorType });
      }
    },
    held: (topic, reason) => held.inc({ topic, reason }),
    joined(partitions) {
      joins.inc();
      assigned.set(partitions);
    },
  };
}
