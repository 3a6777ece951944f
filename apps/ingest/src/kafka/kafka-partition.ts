import { setTimeout as sleep } from "node:timers/promises";

import { kafkaPartitionName, type KafkaPosition, type ResumeOrder } from "@firn/core";
import type { Logger, Parking } from "@firn/service";
import { isStreamError, type Log } from "@firn/stream";
import type { EachBatchPayload, KafkaMessage } from "kafkajs";

import { isKafkaError } from "./kafka-client.ts";
import type { KafkaMetrics } from "./kafka-metrics.ts";
import { placeMessage, type KafkaPayloadParts, type PlacedMessage } from "./kafka-payload.ts";
import { digestOf, PartitionLog } from "./partition-log.ts";
import { anotherTopic, planPartitionStart, type OffsetRange, type PartitionProblem } from "./partition-start.ts";
import { RegistryUnavailable } from "./schema-registry.ts";

/** Bytes of messages in one append, and messages. */
const APPEND_BYTES_TARGET = 4 * 1024 * 1024;
const APPEND_MESSAGES_MAX = 10_000;
const RETRY_MS_FIRST = 100;
const RETRY_MS_MAX = 2_000;
/** A failure that lasts is told: until then it may be a server that starts again. */
const ALARM_AFTER_MS = 5_000;
const COMMIT_INTERVAL_MS = 1_000;

export interface KafkaPartitionParts extends KafkaPayloadParts {
  readonly log: Log;
  readonly parking: Parking;
  readonly metrics: KafkaMetrics;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  offsets(): Promise<OffsetRange>;
  /** The consumer's, of this partition. */
  pause(): void;
  resume(): void;
  seek(offset: number): void;
  /** Ends the consumer: something happened that nothing here was written for. */
  fail(error: unknown): void;
}

/**
 * A partition that the group has given to this process, until it is taken away.
 *
 * Whatever fails, the partition is paused, its position read again, and its messages fetched again from there: the
 * position in INTAKE alone says what is stored. Kafka's own commit is a hint for tools; where the client begins
 * somewhere else than at the position, its messages are not taken.
 */
export class KafkaPartition {
  readonly #parts: KafkaPartitionParts;
  readonly #name: string;
  #log: PartitionLog | undefined;
  /** The offset that the next fetch has to begin with; undefined while the partition is paused. */
  #expected: number | undefined;
  #verify: KafkaPosition["last"];
  #foreign: PartitionProblem | undefined;
  /** A position that is being moved behind records that are no messages. */
  #passing: Promise<void> = Promise.resolve();
  /** What was fetched is on its way into INTAKE: Kafka need not have it any more. */
  #isTaking = false;
  #beginsAnew = false;
  #failures = 0;
  #failingSinceMs = 0;
  #committedMs = 0;

  constructor(parts: KafkaPartitionParts) {
    this.#parts = parts;
    this.#name = kafkaPartitionName(parts.topic, parts.partition);
  }

  /** Finds where to go on, and goes on: now, or when that is possible. */
  start(): void {
    this.#expected = undefined;
    this.#parts.pause();
    this.#begin().catch((error: unknown) => this.#parts.fail(error));
  }

  /** Takes what was fetched. @throws what the client throws from its heartbeat: it then joins the group again */
  async take(fetched: EachBatchPayload): Promise<void> {
    this.#isTaking = true;
    try {
      await this.#take(fetched);
    } finally {
      this.#isTaking = false;
      if (this.#beginsAnew) this.beginAnew();
      this.#beginsAnew = false;
    }
  }

  async #take(fetched: EachBatchPayload): Promise<void> {
    const { batch } = fetched;
    await this.#passing;
    if (this.#expected === undefined || this.#parts.signal.aborted) return;
    const { fetchedOffset } = batch as unknown as { readonly fetchedOffset: string };
    if (Number(fetchedOffset) !== this.#expected) return this.start();
    const messages = await this.#unlessTaken(batch.messages);
    if (messages === undefined) return this.start();
    try {
      await this.#append(messages, fetched);
    } catch (error) {
      if (!isStreamError(error) && !(error instanceof RegistryUnavailable)) throw error;
      return this.#hold(error);
    }
    if (this.#expected !== undefined && !this.#parts.signal.aborted) await this.#commit(fetched, this.#expected);
  }

  /**
   * A fetch brought nothing but records that no consumer is given: the markers at the end of a transaction, and
   * messages of one that was aborted. The client then reads on without a word, so that the position would stay behind.
   *
   * @param firstOffset of what was fetched: where it is not the one that is due, something was jumped over
   */
  passOver(firstOffset: number, lastOffset: number): void {
    if (firstOffset !== this.#expected || this.#parts.signal.aborted) return;
    this.#expected = lastOffset + 1;
    this.#passing = this.#advance(lastOffset + 1).catch((error: unknown) => {
      if (isStreamError(error)) this.#hold(error);
      else this.#parts.fail(error);
    });
  }

  /** The offset that the next fetch has to begin with; undefined while the partition is paused. */
  get due(): number | undefined {
    return this.#expected;
  }

  /**
   * Begins anew where Kafka has not what is due.
   * @param due as it was before Kafka was asked
   */
  judge(due: number | undefined, { low, high }: OffsetRange): void {
    if (due === undefined || this.#isTaking || this.#expected === undefined) return;
    if (this.#expected < low || due > high) this.beginAnew();
  }

  /** Sees again whether Kafka's messages are those that were read, once nothing is on its way. */
  beginAnew(): void {
    if (this.#isTaking) this.#beginsAnew = true;
    else if (this.#expected !== undefined && !this.#parts.signal.aborted) this.start();
  }

  /** Moves the position behind records that are no messages. @throws StreamError */
  async #advance(next: number): Promise<void> {
    const { position } = this.#log!;
    if (next > position.next) await this.#log!.append([], { ...position, next });
  }

  /** The messages without the one that only says whether this is the same topic; undefined when it is not. */
  async #unlessTaken(messages: readonly KafkaMessage[]): Promise<readonly KafkaMessage[] | undefined> {
    const known = this.#verify;
    const first = messages[0];
    if (known === undefined || first === undefined) return messages;
    this.#verify = undefined;
    const isThere = Number(first.offset) === known.offset;
    if (!isThere || digestOf(first) === known.digest) {
      if (this.#failures === 0) await this.#clear();
      return isThere ? messages.slice(1) : messages;
    }
    const { low } = await this.#parts.offsets();
    this.#foreign = anotherTopic(known.offset, low);
    return undefined;
  }

  async #append(
    messages: readonly KafkaMessage[],
    { batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload,
  ) {
    const { signal, metrics, topic } = this.#parts;
    const batchEnd = Number(batch.lastOffset()) + 1;
    if (messages.length === 0) {
      await this.#advance(batchEnd);
      if (signal.aborted) return;
      this.#expected = batchEnd;
      resolveOffset(batch.lastOffset());
    }
    for (let from = 0; from < messages.length;) {
      if (!isRunning() || isStale()) return;
      const chunk = chunkFrom(messages, from);
      from += chunk.length;
      const messagesPlaced = await this.#place(chunk);
      const placed = messagesPlaced.flatMap((one) => one.placed);
      const last = chunk.at(-1)!;
      const next = from === messages.length ? batchEnd : Number(last.offset) + 1;
      await this.#log!.append(placed, { next, last: { offset: Number(last.offset), digest: digestOf(last) } });
      metrics.appended(topic, messagesPlaced);
      // The group may have given the partition to another while the broker wrote: its offsets are not ours to set.
      if (signal.aborted) return;
      this.#expected = next;
      resolveOffset(last.offset);
      await this.#succeeded();
      await heartbeat();
    }
  }

  async #place(messages: readonly KafkaMessage[]): Promise<PlacedMessage[]> {
    const receivedAtUs = Date.now() * 1000;
    const placed: PlacedMessage[] = [];
    for (const message of messages) placed.push(await placeMessage(message, receivedAtUs, this.#parts));
    return placed;
  }

  /** For tools that show a group's lag, once in a while and whenever there is nothing more to fetch. */
  async #commit({ batch, commitOffsetsIfNecessary }: EachBatchPayload, next: number): Promise<void> {
    const nowMs = performance.now();
    if (next < Number(batch.highWatermark) && nowMs - this.#committedMs < COMMIT_INTERVAL_MS) return;
    this.#committedMs = nowMs;
    const { topic, partition } = batch;
    await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: String(next) }] }] });
  }

  /** The broker is away or full, the registry does not answer, or another one took these messages. */
  #hold(error: Error): void {
    const { pause, metrics, logger, topic, fail } = this.#parts;
    this.#expected = undefined;
    pause();
    if (this.#failures++ === 0) this.#failingSinceMs = performance.now();
    const reason = isStreamError(error) ? error.kind : "registry";
    metrics.held(topic, reason);
    logger.warn("partition is held", { partition: this.#name, reason, error });
    this.#recover(error).catch(fail);
  }

  async #recover(error: Error): Promise<void> {
    const { parking, signal } = this.#parts;
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** (this.#failures - 1));
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    const lasts = performance.now() - this.#failingSinceMs > ALARM_AFTER_MS;
    if (lasts && error instanceof RegistryUnavailable && !signal.aborted) {
      const fix = "nothing to do but to bring it back: the partition waits and goes on by itself";
      const order = await this.#patiently(() => parking.park(this.#name, error.message, fix, signal));
      if (order !== undefined) await this.#patiently(() => this.#obey(order));
    }
    await this.#begin();
  }

  async #begin(): Promise<void> {
    const { parking, signal, seek, resume } = this.#parts;
    while (!signal.aborted) {
      const found = await this.#patiently(() => this.#find());
      if (found === undefined) return;
      if (found.start.kind === "go") {
        // What is still to be seen may park it again: until then an order that was given waits.
        if (this.#failures === 0 && found.start.verify === undefined) await this.#clear();
        if (signal.aborted) return;
        this.#log = found.log;
        this.#verify = found.start.verify;
        this.#expected = found.start.seek;
        seek(found.start.seek);
        return resume();
      }
      const { reason, fix, acceptLossNext } = found.start;
      const order = await this.#patiently(() => parking.park(this.#name, reason, fix, signal));
      if (order !== undefined) await this.#patiently(() => this.#obey(order, acceptLossNext));
    }
  }

  async #find() {
    const { log: intake, topic, partition, offsets } = this.#parts;
    const log = await PartitionLog.open(intake, topic, partition);
    const start = this.#foreign ?? planPartitionStart(log.isNew ? undefined : log.position, await offsets());
    return { log, start };
  }

  /** @param acceptLossNext absent: nothing is lost that could be accepted, and the order changes nothing */
  async #obey(order: ResumeOrder, acceptLossNext?: number): Promise<void> {
    const { log: intake, topic, partition, parking, logger } = this.#parts;
    const next = "from" in order ? order.from : acceptLossNext;
    if (next !== undefined) {
      const log = await PartitionLog.open(intake, topic, partition);
      logger.warn("goes on by order", { partition: this.#name, from: log.position.next, to: next });
      await log.append([], { next });
      this.#foreign = undefined;
    }
    await parking.obeyed(this.#name);
  }

  async #clear(): Promise<void> {
    await this.#patiently(() => this.#parts.parking.clear(this.#name));
  }

  async #succeeded(): Promise<void> {
    if (this.#failures === 0) return;
    this.#failures = 0;
    await this.#parts.parking.clear(this.#name);
  }

  /** Tries until it works or the partition is taken away (undefined); what waiting cannot mend is thrown. */
  async #patiently<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { signal, logger } = this.#parts;
    for (let waitMs = RETRY_MS_FIRST; !signal.aborted; waitMs = Math.min(RETRY_MS_MAX, waitMs * 2)) {
      try {
        return await work();
      } catch (error) {
        if (!isStreamError(error) && !isKafkaError(error)) throw error;
        logger.warn("partition cannot go on yet", { partition: this.#name, error, retry_ms: waitMs });
      }
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }
}

function chunkFrom(messages: readonly KafkaMessage[], from: number): readonly KafkaMessage[] {
  let bytes = 0;
  let to = from;
  while (to < messages.length && to - from < APPEND_MESSAGES_MAX) {
    bytes += messages[to]!.value?.length ?? 0;
    if (to > from && bytes > APPEND_BYTES_TARGET) break;
    to++;
  }
  return messages.slice(from, to);
}
