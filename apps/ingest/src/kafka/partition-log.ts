import { createHash } from "node:crypto";

import { decodeKafkaPosition, encodeKafkaPosition, kafkaPositionSubject, type KafkaPosition } from "@firn/core";
import type { AppendRecord, Log } from "@firn/stream";

import { packFrames, type PlacedPayload } from "../intake-frames.ts";
import type { KafkaMessage } from "./kafka-payload.ts";

const TRIM_INTERVAL_MS = 5_000;

/**
 * One partition's way into INTAKE. Its position is the last record of its own subject, stored in the append that holds
 * the messages up to it, with the expectation that nobody has moved it meanwhile: of two who take the same messages
 * one is refused, and whatever is killed when, each message is in the stream once.
 */
export class PartitionLog {
  readonly #log: Log;
  readonly #subject: string;
  #position: KafkaPosition = { next: 0 };
  /** Of the position's record; 0 for none. */
  #sequence = 0;
  #trimmedMs = 0;

  private constructor(log: Log, subject: string) {
    this.#log = log;
    this.#subject = subject;
  }

  /** As the stream has it now. Undefined position: the partition was never read. @throws StreamError */
  static async open(log: Log, topic: string, partition: number): Promise<PartitionLog> {
    const opened = new PartitionLog(log, kafkaPositionSubject(topic, partition));
    const last = await log.last(opened.#subject);
    if (last !== undefined) {
      opened.#position = decodeKafkaPosition(last.data);
      opened.#sequence = last.sequence;
    }
    return opened;
  }

  get isNew(): boolean {
    return this.#sequence === 0;
  }

  get position(): KafkaPosition {
    return this.#position;
  }

  /** Appends messages with the position behind them, all or nothing. @throws StreamError */
  async append(placed: readonly PlacedPayload[], position: KafkaPosition): Promise<void> {
    const before = this.#sequence;
    const record: AppendRecord = {
      subject: this.#subject,
      data: encodeKafkaPosition(position),
      expectedLastSequence: before,
    };
    const { lastSequence } = await this.#log.append([...packFrames(placed), record]);
    this.#position = position;
    this.#sequence = lastSequence;
    if (before > 0) this.#trim(before);
  }

  /** Positions that were passed are of no use. What is not trimmed now is trimmed with the next. */
  #trim(throughSequence: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#trimmedMs < TRIM_INTERVAL_MS) return;
    this.#trimmedMs = nowMs;
    this.#log.trim(this.#subject, throughSequence).catch(() => undefined);
  }
}

/** Tells a message from others at its offset, in a topic that was made anew. */
export function digestOf({ offset, value }: KafkaMessage): string {
  return createHash("sha256")
    .update(`${offset}:`)
    .update(value ?? "")
    .digest("hex")
    .slice(0, 16);
}
