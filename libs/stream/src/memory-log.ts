import { planAppend } from "./append-plan.ts";
import type { AppendRecord, Log, LogBounds, LogRecord, ReadOptions } from "./log.ts";
import { StreamError } from "./stream-error.ts";
import { assertDisjointFilters, assertLiteralSubject, filterMatches } from "./subject.ts";

/** What a stream holds; shared by all handles that were opened on it. */
export interface MemoryStream {
  name: string;
  identity: string;
  subjects: string[];
  metadata: Record<string, string>;
  bytesMax: number;
  records: LogRecord[];
  lastSequence: number;
  bytes: number;
}

/** What decides whether the broker answers; shared by everything of one MemoryLogs. */
export interface MemoryBroker {
  connected: boolean;
  recordBytesMax: number;
  /** The stream that bears a name now: not the one that a handle was opened on, once it was made anew. */
  streams: Map<string, MemoryStream>;
  /** Readers that wait: called when something was stored, a stream deleted, or the broker went or came back. */
  waiting: Set<() => void>;
}

/** JetStream's accounting of a stored message, roughly: data, headers, subject and a fixed part. */
function storedBytes(record: {
  subject: string;
  data: Uint8Array;
  headers?: Readonly<Record<string, string>>;
}): number {
  let bytes = record.data.byteLength + record.subject.length + 30;
  for (const [name, value] of Object.entries(record.headers ?? {})) bytes += name.length + value.length + 4;
  return bytes;
}

/** The in-memory adapter of the log port: same rules, no durability. */
export class MemoryLog implements Log {
  readonly stream: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly recordBytesMax: number;
  readonly #broker: MemoryBroker;
  readonly #identity: string;

  constructor(broker: MemoryBroker, opened: MemoryStream) {
    this.stream = opened.name;
    this.metadata = { ...opened.metadata };
    this.recordBytesMax = broker.recordBytesMax;
    this.#broker = broker;
    this.#identity = opened.identity;
  }

  async identity(): Promise<string> {
    return this.#current().identity;
  }

  async append(records: readonly AppendRecord[]): Promise<{ lastSequence: number }> {
    const expectations = planAppend(records, { recordBytesMax: this.recordBytesMax });
    const stream = this.#current();
    for (const { subject } of records) {
      if (!stream.subjects.some((filter) => filterMatches(filter, subject))) {
        throw new StreamError("invalid", `stream ${this.stream} does not take subject ${subject}`, { subject });
      }
    }
    for (const [subject, expected] of expectations) {
      const actual = lastOf(stream, subject)?.sequence ?? 0;
      if (actual !== expected) {
        const message = `the last sequence of ${subject} is ${actual}, not ${expected}`;
        throw new StreamError("wrong_expectation", message, { stream: this.stream, subject, expected, actual });
      }
    }
    const bytes = records.reduce((sum, record) => sum + storedBytes(record), 0);
    if (stream.bytesMax >= 0 && stream.bytes + bytes > stream.bytesMax) {
      throw new StreamError("full", `stream ${this.stream} is full`, {
        stream: this.stream,
        bytesMax: stream.bytesMax,
      });
    }
    const timestampMs = Date.now();
    for (const { subject, data, headers } of records) {
      stream.lastSequence += 1;
      stream.records.push({
        subject,
        sequence: stream.lastSequence,
        data: data.slice(),
        headers: { ...headers },
        timestampMs,
      });
    }
    stream.bytes += bytes;
    for (const wake of [...this.#broker.waiting]) wake();
    return { lastSequence: stream.lastSequence };
  }

  async *read(options: ReadOptions): AsyncGenerator<LogRecord> {
    const { subjects, afterSequence, signal, identity = this.#identity } = options;
    assertDisjointFilters(subjects);
    let position = afterSequence;
    while (!signal.aborted) {
      const stream = this.#broker.connected ? this.#expect(identity) : undefined;
      if (stream !== undefined && position > stream.lastSequence) {
        throw new StreamError("gone", `stream ${this.stream} ends at ${stream.lastSequence}, before ${position}`, {
          stream: this.stream,
          afterSequence: position,
          lastSequence: stream.lastSequence,
        });
      }
      const next = stream && nextOf(stream, subjects, position);
      if (next !== undefined) {
        position = next.sequence;
        yield { ...next, data: next.data.slice() };
      } else {
        await this.#change(signal);
      }
    }
  }

  async last(subject: string): Promise<LogRecord | undefined> {
    assertLiteralSubject(subject);
    const found = lastOf(this.#current(), subject);
    return found === undefined ? undefined : { ...found, data: found.data.slice() };
  }

  async bounds(): Promise<LogBounds> {
    const { records, lastSequence, bytes, bytesMax } = this.#current();
    const firstSequence = records[0]?.sequence ?? (lastSequence === 0 ? 0 : lastSequence + 1);
    return { firstSequence, lastSequence, bytes, bytesMax };
  }

  async pending(subjects: readonly string[], afterSequence: number): Promise<number> {
    assertDisjointFilters(subjects);
    const wanted = (r: LogRecord) => r.sequence > afterSequence && subjects.some((f) => filterMatches(f, r.subject));
    return this.#current().records.filter(wanted).length;
  }

  async trim(subject: string, throughSequence: number): Promise<void> {
    assertLiteralSubject(subject);
    const stream = this.#current();
    const last = lastOf(stream, subject)?.sequence ?? 0;
    const removed = (r: LogRecord) => r.subject === subject && r.sequence <= throughSequence && r.sequence < last;
    for (const record of stream.records.filter(removed)) stream.bytes -= storedBytes(record);
    stream.records = stream.records.filter((r) => !removed(r));
  }

  /** The stream of this name as it is now. */
  #current(): MemoryStream {
    if (!this.#broker.connected) throw new StreamError("unavailable", "not connected", { stream: this.stream });
    const stream = this.#broker.streams.get(this.stream);
    if (stream === undefined)
      throw new StreamError("gone", `stream ${this.stream} was deleted`, { stream: this.stream });
    return stream;
  }

  /** The stream that a reader's position belongs to; it must not go on in another one. */
  #expect(identity: string): MemoryStream {
    const stream = this.#current();
    if (stream.identity !== identity) {
      const context = { stream: this.stream, opened: identity, found: stream.identity };
      throw new StreamError("gone", `stream ${this.stream} was made anew`, context);
    }
    return stream;
  }

  /** Resolves when something may have changed for a reader, or at the signal. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const { waiting } = this.#broker;
      const done = () => {
        waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }
}

function lastOf(stream: MemoryStream, subject: string): LogRecord | undefined {
  return stream.records.findLast((record) => record.subject === subject);
}

/** The first record of these subjects after the position. */
function nextOf(stream: MemoryStream, filters: readonly string[], position: number): LogRecord | undefined {
  let low = 0;
  let high = stream.records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((stream.records[middle]?.sequence ?? 0) > position) high = middle;
    else low = middle + 1;
  }
  for (; low < stream.records.length; low++) {
    const record = stream.records[low];
    if (record && filters.some((filter) => filterMatches(filter, record.subject))) return record;
  }
  return undefined;
}
