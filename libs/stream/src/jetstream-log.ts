import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { nanos, nuid } from "@nats-io/transport-node";
import { appendToStream } from "./jetstream-append.ts";
import { ownHeaders } from "./jetstream-record.ts";
import { findStream, identityOf, shapeOf } from "./jetstream-stream.ts";
import { readStream } from "./jetstream-read.ts";
import type { AppendRecord, Log, LogBounds, LogRecord, ReadOptions } from "./log.ts";
import { fromClient, isNoResponders } from "./nats-errors.ts";
import type { NatsLink } from "./nats-link.ts";
import type { ReadSource } from "./pull-consumer.ts";
import { isStreamError, StreamError } from "./stream-error.ts";
import { assertDisjointFilters, assertLiteralSubject, filterMatches } from "./subject.ts";

/** How long the consumer lives that `pending` makes, should its removal fail. */
const COUNT_CONSUMER_MS = 5_000;

export interface JetStreamLogOptions {
  link: NatsLink;
  jsm: JetStreamManager;
  info: StreamInfo;
  requestTimeoutMs: number;
  heartbeatMs: number;
}

/** The JetStream adapter of the log port (nats-server 2.15 or newer). */
export class JetStreamLog implements Log {
  readonly stream: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly recordBytesMax: number;
  readonly #source: ReadSource;
  readonly #timeoutMs: number;

  constructor({ link, jsm, info, requestTimeoutMs, heartbeatMs }: JetStreamLogOptions) {
    this.stream = info.config.name;
    this.metadata = shapeOf(info).metadata;
    this.recordBytesMax = link.nc.info?.max_payload ?? 1024 * 1024;
    this.#source = { link, jsm, stream: this.stream, identity: identityOf(info), heartbeatMs };
    this.#timeoutMs = requestTimeoutMs;
  }

  async identity(): Promise<string> {
    return identityOf(await this.#info());
  }

  async append(records: readonly AppendRecord[]): Promise<{ lastSequence: number }> {
    const { link } = this.#source;
    const target = { link, stream: this.stream, recordBytesMax: this.recordBytesMax, timeoutMs: this.#timeoutMs };
    try {
      return await appendToStream(target, records);
    } catch (error) {
      if (isStreamError(error, "unavailable") && isNoResponders(error.cause)) await this.#explainSilence(records);
      throw error;
    }
  }

  read(options: ReadOptions): AsyncIterable<LogRecord> {
    return readStream(this.#source, options);
  }

  async last(subject: string): Promise<LogRecord | undefined> {
    assertLiteralSubject(subject);
    const found = await this.#api((jsm) => jsm.direct.getMessage(this.stream, { last_by_subj: subject })).catch(
      async (error: unknown) => {
        // Nobody answers a direct get from a stream that is gone.
        if (isStreamError(error, "unavailable") && isNoResponders(error.cause)) await this.#info();
        throw error;
      },
    );
    if (found === null) return undefined;
    const { seq, data, header, timestamp } = found;
    return { subject, sequence: seq, data, headers: ownHeaders(header), timestampMs: Date.parse(timestamp) };
  }

  async bounds(): Promise<LogBounds> {
    const { state, config } = await this.#info();
    const { first_seq: firstSequence, last_seq: lastSequence, bytes } = state;
    return { firstSequence, lastSequence, bytes, bytesMax: config.max_bytes };
  }

  async pending(subjects: readonly string[], afterSequence: number): Promise<number> {
    assertDisjointFilters(subjects);
    const filter = subjects.length === 1 ? { filter_subject: subjects[0]! } : { filter_subjects: [...subjects] };
    return this.#api(async (jsm) => {
      const name = `count-${nuid.next()}`;
      const consumer = await jsm.consumers.add(this.stream, {
        ...filter,
        name,
        ack_policy: "none",
        deliver_policy: "by_start_sequence",
        opt_start_seq: afterSequence + 1,
        inactive_threshold: nanos(COUNT_CONSUMER_MS),
        mem_storage: true,
        num_replicas: 1,
      });
      jsm.consumers.delete(this.stream, name).catch(() => {});
      return consumer.num_pending;
    });
  }

  async trim(subject: string, throughSequence: number): Promise<void> {
    const last = await this.last(subject);
    const before = Math.min(throughSequence + 1, last?.sequence ?? 0);
    if (before > 1) await this.#api((jsm) => jsm.streams.purge(this.stream, { filter: subject, seq: before }));
  }

  async #info(): Promise<StreamInfo> {
    const found = await this.#api((jsm) => findStream(jsm, this.stream));
    if (found === undefined)
      throw new StreamError("gone", `stream ${this.stream} was deleted`, { stream: this.stream });
    return found;
  }

  #api<T>(call: (jsm: JetStreamManager) => Promise<T>): Promise<T> {
    const { link, jsm, stream } = this.#source;
    return link
      .guard(() => call(jsm))
      .catch((error: unknown) => Promise.reject(fromClient(error, "unavailable", { stream })));
  }

  /** Nobody took the append: the stream is gone, does not take the subject, or is not ready (then: returns). */
  async #explainSilence(records: readonly AppendRecord[]): Promise<void> {
    const info = await this.#info();
    const subjects = shapeOf(info).subjects;
    const stray = records.find(({ subject }) => !subjects.some((filter) => filterMatches(filter, subject)));
    if (stray !== undefined) {
      const message = `stream ${this.stream} does not take subject ${stray.subject}`;
      throw new StreamError("invalid", message, { stream: this.stream, subject: stray.subject });
    }
  }
}
