import {
  KAFKA_SOURCES_KEY,
  KAFKA_STATUS_SUBJECT,
  kafkaPartitionName,
  parkedKey,
  type KafkaSources,
  type KafkaStatus,
} from "@firn/core";
import { isStreamError } from "@firn/stream";
import type { OpenStreams } from "./stream-link.ts";

const ANSWER_LIMIT_MS = 3_000;

/**
 * What Kafka holds for the lake at a moment. `unknown`: Kafka is read, but no ingest says how far, or Kafka does not
 * answer it.
 */
export type KafkaHold =
  | { readonly kind: "none" }
  | { readonly kind: "unknown" }
  | { readonly kind: "known"; readonly partitions: KafkaStatus["partitions"] };

type Streams = Pick<OpenStreams, "attempts" | "connection">;

/** @throws StreamError when the lake's own broker is away */
export async function readKafkaHold(open: Streams): Promise<KafkaHold> {
  if ((await readSources(open)).topics.length === 0) return { kind: "none" };
  try {
    const answer = await open.connection.request(KAFKA_STATUS_SUBJECT, new Uint8Array(), {
      timeoutMs: ANSWER_LIMIT_MS,
    });
    const { reachable, partitions } = JSON.parse(Buffer.from(answer).toString("utf8")) as KafkaStatus;
    return reachable ? { kind: "known", partitions } : { kind: "unknown" };
  } catch (error) {
    if (isStreamError(error)) return { kind: "unknown" };
    throw error;
  }
}

/** Messages that wait in Kafka, as far as that is known. */
export function heldMessages(hold: KafkaHold): number {
  if (hold.kind !== "known") return 0;
  return hold.partitions.reduce((sum, { next, end }) => sum + Math.max(0, end - next), 0);
}

/** Whether everything that Kafka held at an earlier moment is in the intake stream now. */
export function isTaken(earlier: KafkaHold, now: KafkaHold): boolean {
  if (now.kind === "none") return true;
  if (earlier.kind !== "known" || now.kind !== "known") return false;
  const next = new Map(now.partitions.map((one) => [kafkaPartitionName(one.topic, one.partition), one.next]));
  return earlier.partitions.every(
    ({ topic, partition, end }) => (next.get(kafkaPartitionName(topic, partition)) ?? 0) >= end,
  );
}

/** The parts in which ingest may stand still with Kafka: all of it, a topic, a partition. */
export async function kafkaParkedKeys(open: Streams): Promise<string[]> {
  const { topics } = await readSources(open);
  const parts = topics.flatMap(({ topic, partitions }) => [
    `kafka.${topic}`,
    ...Array.from({ length: partitions }, (_, partition) => kafkaPartitionName(topic, partition)),
  ]);
  return (parts.length === 0 ? [] : ["kafka", ...parts]).map((part) => parkedKey("ingest", part));
}

async function readSources({ attempts }: Streams): Promise<KafkaSources> {
  return ((await attempts.get(KAFKA_SOURCES_KEY)) as KafkaSources | undefined) ?? { topics: [] };
}
