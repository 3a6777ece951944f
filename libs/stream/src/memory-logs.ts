import { checkedKey } from "./attempt-key.ts";
import type { AttemptStore, HintListener, LogSpec, MemberBoard, ReplyHandler, StreamConnection } from "./connection.ts";
import type { Log } from "./log.ts";
import { MemoryLog, type MemoryBroker, type MemoryStream } from "./memory-log.ts";
import { planStream } from "./stream-plan.ts";
import { StreamError } from "./stream-error.ts";
import { filterMatches } from "./subject.ts";

const RECORD_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Streams, hints, requests and attempts in this process: the port without a broker, for tests and trials.
 * One instance is one broker; everything opened on it sees the same records.
 */
export class MemoryLogs implements StreamConnection {
  readonly closed: Promise<Error | undefined>;
  readonly #broker: MemoryBroker;
  readonly #hints = new Set<{ subject: string; listener: HintListener }>();
  readonly #replies = new Set<{ subject: string; handler: ReplyHandler }>();
  readonly #buckets = new Map<string, Map<string, string>>();
  readonly #boards = new Map<string, Map<string, { value: string; timestampMs: number }>>();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #close: (reason: Error | undefined) => void = () => {};
  #streamsMade = 0;

  constructor(options: { recordBytesMax?: number } = {}) {
    this.#broker = {
      connected: true,
      recordBytesMax: options.recordBytesMax ?? RECORD_BYTES_MAX,
      streams: new Map(),
      waiting: new Set(),
    };
    this.closed = new Promise((resolve) => (this.#close = resolve));
  }

  async openLog(spec: LogSpec): Promise<Log> {
    this.#assertConnected();
    const found = this.#broker.streams.get(spec.stream);
    const planned = planStream(spec, found);
    const stream = found ?? this.#makeStream(spec.stream);
    stream.subjects = [...planned.subjects];
    stream.metadata = { ...planned.metadata };
    stream.bytesMax = planned.bytesMax;
    return new MemoryLog(this.#broker, stream);
  }

  publishHint(subject: string, data: Uint8Array): void {
    if (!this.#broker.connected) return;
    for (const { subject: filter, listener } of [...this.#hints]) {
      if (filterMatches(filter, subject)) queueMicrotask(() => listener(subject, data));
    }
  }

  subscribeHints(subject: string, listener: HintListener): () => void {
    const entry = { subject, listener };
    this.#hints.add(entry);
    return () => void this.#hints.delete(entry);
  }

  async request(subject: string, data: Uint8Array, options: { timeoutMs: number }): Promise<Uint8Array> {
    this.#assertConnected();
    const found = [...this.#replies].find((reply) => filterMatches(reply.subject, subject));
    if (found === undefined) throw new StreamError("unavailable", `nobody answers on ${subject}`, { subject });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new StreamError("unknown_outcome", `no answer on ${subject} in ${options.timeoutMs} ms`, {
        subject,
      });
      timer = setTimeout(() => reject(error), options.timeoutMs);
    });
    const answer = found.handler(data, subject).catch((cause: unknown) => {
      throw new StreamError("invalid", cause instanceof Error ? cause.message : String(cause), { subject }, { cause });
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  }

  reply(subject: string, _options: { queue: string }, handler: ReplyHandler): () => void {
    const entry = { subject, handler };
    this.#replies.add(entry);
    return () => void this.#replies.delete(entry);
  }

  async attempts(bucket: string): Promise<AttemptStore> {
    const values = this.#buckets.get(bucket) ?? new Map<string, string>();
    this.#buckets.set(bucket, values);
    return {
      get: async (key) => {
        const text = values.get(checkedKey(key));
        return text === undefined ? undefined : (JSON.parse(text) as unknown);
      },
      put: async (key, value) => void values.set(checkedKey(key), JSON.stringify(value)),
      delete: async (key) => void values.delete(checkedKey(key)),
    };
  }

  async members(bucket: string): Promise<MemberBoard> {
    const notices = this.#boards.get(bucket) ?? new Map<string, { value: string; timestampMs: number }>();
    this.#boards.set(bucket, notices);
    return {
      put: async (group, member, value) => {
        this.#assertConnected();
        notices.set(checkedKey(`${group}.${member}`), { value: JSON.stringify(value), timestampMs: performance.now() });
      },
      read: async (group) => {
        this.#assertConnected();
        const found = [...notices].filter(([key]) => key.startsWith(`${group}.`));
        return found.map(([key, { value, timestampMs }]) => {
          return { member: key.slice(group.length + 1), value: JSON.parse(value) as unknown, timestampMs };
        });
      },
    };
  }

  isConnected(): boolean {
    return this.#broker.connected;
  }

  onConnectionChange(listener: (connected: boolean) => void): () => void {
    this.#connectionListeners.add(listener);
    return () => void this.#connectionListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#close(undefined);
  }

  /** For tests: the broker goes away or comes back. */
  setConnected(connected: boolean): void {
    this.#broker.connected = connected;
    for (const listener of [...this.#connectionListeners]) listener(connected);
    this.#wakeReaders();
  }

  /** For tests: deletes a stream with all of its records; the next open makes another one. */
  deleteStream(name: string): void {
    this.#broker.streams.delete(name);
    this.#wakeReaders();
  }

  /** For tests: what a copy of the broker's files holds of a stream now, for `restoreStream`. */
  copyStream(name: string): MemoryStream {
    const stream = this.#broker.streams.get(name);
    if (!stream) throw new StreamError("gone", `stream ${name} was deleted`, { stream: name });
    return { ...stream, records: [...stream.records] };
  }

  /** For tests: the stream is as it was when it was copied. */
  restoreStream(copy: MemoryStream): void {
    this.#broker.streams.set(copy.name, { ...copy, records: [...copy.records] });
    this.#wakeReaders();
  }

  #wakeReaders(): void {
    for (const wake of [...this.#broker.waiting]) wake();
  }

  #assertConnected(): void {
    if (!this.#broker.connected) throw new StreamError("unavailable", "not connected");
  }

  #makeStream(name: string): MemoryStream {
    this.#streamsMade += 1;
    const identity = `${new Date().toISOString()}#${this.#streamsMade}`;
    const empty = { subjects: [], metadata: {}, bytesMax: -1, records: [], lastSequence: 0, bytes: 0 };
    const stream: MemoryStream = { name, identity, ...empty };
    this.#broker.streams.set(name, stream);
    return stream;
  }
}
