import { setTimeout as sleep } from "node:timers/promises";

import { KAFKA_STATUS_SUBJECT, kafkaPartitionName, PayloadDecoder } from "@firn/core";
import { Parking, repeatTurns, type Logger, type Stage } from "@firn/service";
import { isStreamError, STATE_BUCKET, type AttemptStore } from "@firn/stream";
import type { Admin, Consumer, Kafka } from "kafkajs";

import type { Intake, OpenIntake } from "../intake.ts";
import { isKafkaError, kafkaClient, type KafkaConnection } from "./kafka-client.ts";
import type { KafkaMetrics } from "./kafka-metrics.ts";
import { KafkaPartition } from "./kafka-partition.ts";
import { readKafkaStatus } from "./kafka-status.ts";
import { type DatasetsByTopic, moreTopicsCame, noteTopics, topicsThere, WHOLE } from "./kafka-topics.ts";
import { offsetsOf } from "./partition-offsets.ts";
import type { SchemaRegistry } from "./schema-registry.ts";

export interface KafkaIntakeParts {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly topics: DatasetsByTopic;
  readonly shards: number;
  readonly registry: SchemaRegistry | undefined;
  readonly intake: Intake;
  readonly metrics: KafkaMetrics;
  readonly logger: Logger;
}

const OFFSETS_INTERVAL_MS = 5_000;
/** A failure that lasts is told: until then it may be a broker that starts again. */
const ALARM_AFTER_MS = 5_000;
const FETCH_WAIT_MS = 500;
const METADATA_AGE_MS = 30_000;
const PARTITIONS_AT_ONCE = 4;

/** What one turn works with. */
interface Turn {
  readonly open: OpenIntake;
  readonly attempts: AttemptStore;
  readonly parking: Parking;
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly signal: AbortSignal;
}

/**
 * Reads Kafka's topics into INTAKE, as a member of the consumer group. A turn is a consumer's life: one that crashes
 * is thrown away, and the next turn begins with what INTAKE says.
 */
export class KafkaIntake implements Stage {
  readonly #parts: KafkaIntakeParts;
  readonly #decoder = new PayloadDecoder();
  readonly #partitions = new Map<string, KafkaPartition>();
  /** Of the present assignment. */
  #assignment = new AbortController();
  #admin: Admin | undefined;
  #failingSinceMs: number | undefined;

  constructor(parts: KafkaIntakeParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const open = await this.#parts.intake.untilOpen(signal);
    if (open === undefined) return;
    const endReplies = open.connection.reply(KAFKA_STATUS_SUBJECT, { queue: "ingest" }, async () => {
      const status = await readKafkaStatus(this.#admin, [...this.#parts.topics.keys()], open.log);
      return Buffer.from(JSON.stringify(status), "utf8");
    });
    try {
      await repeatTurns(signal, {
        turn: (ending, progressed) => this.#turn(open, ending, progressed),
        getsOver: (error) => isKafkaError(error) || isStreamError(error),
        logger: this.#parts.logger,
        fields: { source: "kafka" },
      });
    } finally {
      endReplies();
    }
  }

  async #turn(open: OpenIntake, signal: AbortSignal, progressed: () => void): Promise<void> {
    const { connection, logger } = this.#parts;
    const attempts = await open.connection.attempts(STATE_BUCKET);
    const parking = new Parking("ingest", attempts, logger);
    await noteTopics(this.#parts.topics, attempts, new Map());
    const kafka = kafkaClient(connection, logger, () => {
      for (const partition of this.#partitions.values()) partition.beginAnew();
    });
    const admin = kafka.admin();
    try {
      await admin.connect();
      await this.#consume({ open, attempts, parking, kafka, admin, signal }, () => {
        this.#failingSinceMs = undefined;
        progressed();
        parking.clear(WHOLE).catch(() => undefined);
      });
    } catch (error) {
      if (isKafkaError(error)) await this.#alarm(error, parking, signal);
      throw error;
    } finally {
      this.#admin = undefined;
      await admin.disconnect().catch(() => undefined);
    }
  }

  async #alarm(error: Error, parking: Parking, signal: AbortSignal): Promise<void> {
    this.#failingSinceMs ??= performance.now();
    if (performance.now() - this.#failingSinceMs < ALARM_AFTER_MS || signal.aborted) return;
    const fix = "nothing to do but to bring Kafka back: ingest goes on by itself";
    await parking.park(WHOLE, `Kafka cannot be read: ${error.message}`, fix, signal);
  }

  /** Until the signal, a crash, or topics that have come. */
  async #consume(turn: Turn, joined: () => void): Promise<void> {
    const { kafka, admin, signal } = turn;
    const there = await topicsThere(this.#parts.topics, turn);
    this.#admin = admin;
    const consumer = this.#consumer(kafka);
    const reading = new AbortController();
    const watching = { ...turn, signal: AbortSignal.any([signal, reading.signal]) };
    const ended = new Promise<Error | undefined>((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error));
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        joined();
        this.#assign(turn, consumer, payload.memberAssignment, resolve);
      });
      consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, ...fetched } }) => {
        // Null where the fetch brought only what lies before it.
        if (batchSize > 0 || fetched.firstOffset === null) return;
        const taken = this.#partitions.get(kafkaPartitionName(topic, partition));
        taken?.passOver(Number(fetched.firstOffset), Number(fetched.lastOffset));
      });
      moreTopicsCame(this.#parts.topics, watching, there.length).then((more) => {
        if (more) resolve(undefined);
      }, resolve);
      this.#watchOffsets(watching, there).catch(resolve);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...there], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: async (fetched) => {
          const { topic, partition } = fetched.batch;
          await this.#partitions.get(kafkaPartitionName(topic, partition))?.take(fetched);
        },
      });
      const failure = await ended;
      if (failure !== undefined) throw failure;
    } finally {
      reading.abort();
      this.#assignment.abort();
      this.#partitions.clear();
      await consumer.disconnect().catch(() => undefined);
    }
  }

  #consumer(kafka: Kafka): Consumer {
    const { groupId, sessionTimeoutMs } = this.#parts;
    return kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(sessionTimeoutMs, 10_000),
      heartbeatInterval: Math.max(100, Math.floor(sessionTimeoutMs / 5)),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      metadataMaxAge: METADATA_AGE_MS,
      allowAutoTopicCreation: false,
      retry: { retries: 3, initialRetryTime: 100, restartOnFailure: async () => false },
    });
  }

  /** The group has given partitions to this process; what it had before counts for nothing. */
  #assign(
    { open, parking, admin, signal }: Turn,
    consumer: Consumer,
    assignment: Readonly<Record<string, number[]>>,
    fail: (error: Error) => void,
  ): void {
    const { topics, shards, registry, metrics, logger } = this.#parts;
    this.#assignment.abort();
    this.#assignment = new AbortController();
    this.#partitions.clear();
    const ending = AbortSignal.any([signal, this.#assignment.signal]);
    for (const [topic, partitions] of Object.entries(assignment)) {
      const dataset = topics.get(topic);
      for (const partition of dataset === undefined ? [] : partitions) {
        const place = [{ topic, partitions: [partition] }];
        const taken = new KafkaPartition({
          topic,
          partition,
          dataset: dataset!,
          shards,
          registry,
          decoder: this.#decoder,
          log: open.log,
          parking,
          metrics,
          logger,
          signal: ending,
          offsets: () => offsetsOf(admin, topic, partition),
          pause: () => consumer.pause(place),
          resume: () => consumer.resume(place),
          seek: (offset) => consumer.seek({ topic, partition, offset: String(offset) }),
          fail,
        });
        this.#partitions.set(kafkaPartitionName(topic, partition), taken);
      }
    }
    metrics.joined(this.#partitions.size);
    logger.info("kafka partitions assigned", { partitions: [...this.#partitions.keys()] });
    for (const partition of this.#partitions.values()) partition.start();
  }

  /**
   * Looks now and then whether Kafka has what is due. Where it has not, the client begins somewhere else without a word,
   * and where nothing can be had there (a transaction is open) nobody would learn of it.
   */
  async #watchOffsets({ admin, signal }: Turn, topics: readonly string[]): Promise<void> {
    for (;;) {
      await sleep(OFFSETS_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      for (const topic of topics) await this.#judgeOffsets(admin, topic);
    }
  }

  async #judgeOffsets(admin: Admin, topic: string): Promise<void> {
    const due = new Map([...this.#partitions].map(([name, partition]) => [name, partition.due]));
    try {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const name = kafkaPartitionName(topic, partition);
        this.#partitions.get(name)?.judge(due.get(name), { low: Number(low), high: Number(high) });
      }
    } catch (error) {
      // The consumer has the same trouble, and says so.
      if (!isKafkaError(error)) throw error;
    }
  }
}
