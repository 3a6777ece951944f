/** What ingest keeps, and tells, of the Kafka topics that it reads. */
import { refuseNewer } from "./newer-format.ts";

/**
 * Subject of a partition's positions, in INTAKE: `intake.kafka.<topic>.<partition>`. No dataset's subject is like it:
 * those have one token behind the dataset's name. A dot of the topic that would leave a token empty is written `=2E`.
 */
export function kafkaPositionSubject(topic: string, partition: number): string {
  return `intake.kafka.${plainTokens(topic)}.${partition}`;
}

/** What a partition is called where it is parked and resumed: `kafka.<topic>.<partition>`. */
export function kafkaPartitionName(topic: string, partition: number): string {
  return `kafka.${plainTokens(topic)}.${partition}`;
}

/** Topics are letters, digits, `.`, `_` and `-`. */
function plainTokens(topic: string): string {
  return topic.replace(/^\.|\.(?=\.|$)/g, "=2E");
}

/**
 * How far a partition is in the lake: stored in the append that holds its messages. `last` tells the topic from
 * another one of its name: the offset and the digest of the message that was taken last, where one was.
 */
export interface KafkaPosition {
  /** The offset to read next. */
  readonly next: number;
  readonly last?: { readonly offset: number; readonly digest: string };
}

/** The message of a partition's position, version 1. */
export function encodeKafkaPosition(position: KafkaPosition): Uint8Array {
  return Buffer.from(JSON.stringify({ v: 1, ...position }), "utf8");
}

/** @throws NewerFormat @throws SyntaxError when the bytes are no position of version 1 */
export function decodeKafkaPosition(bytes: Uint8Array): KafkaPosition {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const { v, next, last } = JSON.parse(text) as { v?: unknown } & KafkaPosition;
  refuseNewer("a position of Kafka", v, 1);
  if (v !== 1 || !Number.isSafeInteger(next) || next < 0) throw new SyntaxError("not a Kafka position of version 1");
  return last === undefined ? { next } : { next, last };
}

/** Key, in the attempts store, of the topics that the lake reads (KafkaSources); absent where it reads none. */
export const KAFKA_SOURCES_KEY = "kafka.sources";

export interface KafkaSources {
  readonly topics: readonly KafkaTopicSource[];
}

export interface KafkaTopicSource {
  readonly topic: string;
  readonly dataset: string;
  /** How many partitions were last seen. */
  readonly partitions: number;
}

/** Asked by request/reply; any ingest that reads Kafka answers for all partitions, with KafkaStatus as JSON. */
export const KAFKA_STATUS_SUBJECT = "firn.ingest.kafka";

export interface KafkaStatus {
  /** False: Kafka did not answer, and `partitions` is empty. */
  readonly reachable: boolean;
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    /** The offset that the lake reads next, and the one behind the last message that Kafka has. */
    readonly next: number;
    readonly end: number;
  }[];
}
