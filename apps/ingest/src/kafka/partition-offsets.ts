import type { Admin } from "kafkajs";

import type { OffsetRange } from "./partition-start.ts";

/** What Kafka has of a partition. @throws KafkaJSError */
export async function offsetsOf(admin: Admin, topic: string, partition: number): Promise<OffsetRange> {
  const all = await admin.fetchTopicOffsets(topic);
  const found = all.find((one) => one.partition === partition);
  if (found === undefined) throw new Error(`Kafka says nothing of partition ${partition} of topic ${topic}`);
  return { low: Number(found.low), high: Number(found.high) };
}
