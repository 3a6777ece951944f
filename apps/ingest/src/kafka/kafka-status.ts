import type { KafkaStatus } from "@firn/core";
import type { Log } from "@firn/stream";
import type { Admin } from "kafkajs";

import { isKafkaError } from "./kafka-client.ts";
import { PartitionLog } from "./partition-log.ts";

const NOT_REACHABLE: KafkaStatus = { reachable: false, partitions: [] };

/**
 * How far the lake is with every partition of its topics, whoever reads them. Kafka's ends are asked for first: what
 * was in Kafka before the question is either behind a position or before it.
 *
 * @param admin undefined: not connected, or no topic is there
 */
export async function readKafkaStatus(
  admin: Admin | undefined,
  topics: readonly string[],
  log: Log,
): Promise<KafkaStatus> {
  if (admin === undefined) return NOT_REACHABLE;
  try {
    const known = new Set(await admin.listTopics());
    const read = topics.filter((topic) => known.has(topic)).map((topic) => readTopic(admin, topic, log));
    return { reachable: true, partitions: (await Promise.all(read)).flat() };
  } catch (error) {
    if (isKafkaError(error)) return NOT_REACHABLE;
    throw error;
  }
}

async function readTopic(admin: Admin, topic: string, log: Log): Promise<KafkaStatus["partitions"]> {
  const ends = await admin.fetchTopicOffsets(topic);
  return Promise.all(
    ends.map(async ({ partition, low, high }) => {
      const { isNew, position } = await PartitionLog.open(log, topic, partition);
      return { topic, partition, next: isNew ? Number(low) : position.next, end: Number(high) };
    }),
  );
}
