/** Which of the configured topics Kafka has: those that are missing are parked, and all are noted for `/api/pipeline`. */
import { setTimeout as sleep } from "node:timers/promises";

import { KAFKA_SOURCES_KEY, type Dataset, type KafkaSources } from "@firn/core";
import type { Parking } from "@firn/service";
import type { AttemptStore } from "@firn/stream";
import type { Admin } from "kafkajs";

/** What is parked when Kafka as a whole cannot be read; of a topic its name comes behind it. */
export const WHOLE = "kafka";
const TOPICS_INTERVAL_MS = 5_000;

/** Topic and the dataset of its payloads. */
export type DatasetsByTopic = ReadonlyMap<string, Dataset>;

/** What topics are looked for with. */
interface TopicSearch {
  readonly admin: Admin;
  readonly attempts: AttemptStore;
  readonly parking: Parking;
  readonly signal: AbortSignal;
}

/** The configured topics that Kafka has, at least one; the others are told, and looked for while these are read. */
export async function topicsThere(topics: DatasetsByTopic, search: TopicSearch): Promise<readonly string[]> {
  const { admin, attempts, parking, signal } = search;
  for (;;) {
    const known = new Set(await admin.listTopics());
    const there = [...topics.keys()].filter((topic) => known.has(topic));
    const missing = [...topics.keys()].filter((topic) => !known.has(topic));
    const { topics: described } =
      there.length === 0 ? { topics: [] } : await admin.fetchTopicMetadata({ topics: there });
    await noteTopics(topics, attempts, new Map(described.map(({ name, partitions }) => [name, partitions.length])));
    for (const topic of there) await parking.clear(`${WHOLE}.${topic}`);
    for (const topic of missing) await alarmMissing(topic, parking);
    if (there.length > 0 || signal.aborted) return there;
    await sleep(TOPICS_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function alarmMissing(topic: string, parking: Parking): Promise<void> {
  const fix = "make the topic, or mend KAFKA_TOPIC: ingest reads it as soon as it is there";
  await parking.park(`${WHOLE}.${topic}`, `Kafka has no topic ${topic}`, fix, AbortSignal.abort());
}

/** Whether a topic has come that was missing: the next turn reads it too. False at the signal, and where none is missing. */
export async function moreTopicsCame(topics: DatasetsByTopic, search: TopicSearch, there: number): Promise<boolean> {
  const { signal } = search;
  while (there < topics.size) {
    await sleep(TOPICS_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return false;
    const now = await topicsThere(topics, search);
    if (now.length > there) return true;
  }
  return false;
}

/** What `/api/pipeline` has to know. @param partitions of the topics that were seen; of others the last count stays */
export async function noteTopics(
  topics: DatasetsByTopic,
  attempts: AttemptStore,
  partitions: ReadonlyMap<string, number>,
): Promise<void> {
  const before = (await attempts.get(KAFKA_SOURCES_KEY)) as KafkaSources | undefined;
  const sources: KafkaSources = {
    topics: [...topics].map(([topic, { name: dataset }]) => {
      const known = before?.topics.find((one) => one.topic === topic)?.partitions ?? 0;
      return { topic, dataset, partitions: Math.max(known, partitions.get(topic) ?? 0) };
    }),
  };
  if (JSON.stringify(before) !== JSON.stringify(sources)) await attempts.put(KAFKA_SOURCES_KEY, sources);
}
