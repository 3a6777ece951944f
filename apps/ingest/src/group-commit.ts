import { handedOn, noTracer, type Tracer, type TraceSpan } from "@firn/service";
import type { AppendRecord } from "@firn/stream";
import type { ShardedPayload } from "./accepted-payloads.ts";
import { FRAME_ENTRY_BYTES, packFrames, type PlacedPayload } from "./intake-frames.ts";

/** What several requests in one append may have in bytes; one request alone may have more. */
const APPEND_BYTES_TARGET = 4 * 1024 * 1024;
/** Appends on their way at once: while one waits for the disk, the next is sent. */
const APPENDS_IN_FLIGHT_MAX = 3;

interface Waiting {
  readonly dataset: string;
  readonly payloads: readonly ShardedPayload[];
  readonly receivedAtUs: number;
  readonly bytes: number;
  /** Of the request's span. */
  readonly origin: string | undefined;
  readonly resolve: (receipt: string) => void;
  readonly reject: (error: unknown) => void;
}

/** The append of the log port: all or nothing, durable when it resolves. */
export type AppendRecords = (records: readonly AppendRecord[]) => Promise<{ lastSequence: number }>;

/** Tells of every append: how many requests shared it, how long it took, whether it failed. */
export interface AppendObserver {
  (append: { requests: number; bytes: number; elapsedMs: number; failed: boolean }): void;
}

/**
 * Appends requests to the intake log. Requests that wait at the same time share one append, and with it one write to
 * the broker's disk. An append is all or nothing, so each request is; its outcome is the outcome of its append.
 *
 * A request alone is appended at once. While an append is on its way others gather, until it ends or until they fill
 * an append of their own.
 */
export class GroupCommit {
  readonly #appendRecords: AppendRecords;
  readonly #observe: AppendObserver;
  readonly #tracer: Tracer;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #inFlight = 0;

  constructor(appendRecords: AppendRecords, observe: AppendObserver = () => {}, tracer: Tracer = noTracer) {
    this.#appendRecords = appendRecords;
    this.#observe = observe;
    this.#tracer = tracer;
  }

  /**
   * Resolves with the receipt when the broker has the payloads on disk.
   * @param origin traceparent of the request
   */
  submit(dataset: string, payloads: readonly ShardedPayload[], receivedAtUs: number, origin?: string): Promise<string> {
    const bytes = payloads.reduce((sum, payload) => sum + payload.bytes.length + FRAME_ENTRY_BYTES, 0);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ dataset, payloads, receivedAtUs, bytes, origin, resolve, reject });
      this.#waitingBytes += bytes;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#mayAppend()) {
      this.#inFlight++;
      void this.#append(this.#takeGroup()).finally(() => {
        this.#inFlight--;
        this.#pump();
      });
    }
  }

  #mayAppend(): boolean {
    if (this.#waiting.length === 0 || this.#inFlight >= APPENDS_IN_FLIGHT_MAX) return false;
    return this.#inFlight === 0 || this.#waitingBytes >= APPEND_BYTES_TARGET;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const request of this.#waiting) {
      if (count > 0 && bytes + request.bytes > APPEND_BYTES_TARGET) break;
      bytes += request.bytes;
      count++;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  async #append(group: readonly Waiting[]): Promise<void> {
    const startMs = performance.now();
    const span = this.#startSpan(group);
    let failure: unknown;
    try {
      const records = handedOn(planRecords(group), span);
      const { lastSequence } = await this.#appendRecords(records);
      const firstSequence = lastSequence - records.length + 1;
      group.forEach((request, ordinal) => {
        request.resolve(formatReceipt(request.dataset, { firstSequence, messages: records.length, ordinal }));
      });
    } catch (error) {
      failure = error;
      for (const request of group) request.reject(error);
    }
    const bytes = group.reduce((sum, request) => sum + request.bytes, 0);
    span.end({ "firn.bytes": bytes }, failure);
    const failed = failure !== undefined;
    this.#observe({ requests: group.length, bytes, elapsedMs: performance.now() - startMs, failed });
  }

  #startSpan(group: readonly Waiting[]): TraceSpan {
    const origins = this.#tracer.on ? group.flatMap(({ origin }) => origin ?? []) : [];
    return this.#tracer.startSpan("append INTAKE", { origins, attributes: { "firn.requests": group.length } });
  }
}

/**
 * `dataset-first-messages-ordinal`, numbers in base 36: the append's first stream sequence, how many messages it has,
 * and which of its requests this is (payloads in the frames carry the ordinal as their receipt).
 */
function formatReceipt(dataset: string, place: { firstSequence: number; messages: number; ordinal: number }): string {
  return [dataset, ...[place.firstSequence, place.messages, place.ordinal].map((n) => n.toString(36))].join("-");
}

/** The payloads of a group in order of arrival; each carries which of the group's requests it came with. */
function planRecords(group: readonly Waiting[]): AppendRecord[] {
  const placed = group.flatMap(({ dataset, payloads, receivedAtUs }, ordinal) => {
    const receipt = ordinal.toString(36);
    return payloads.map(({ bytes, shard }): PlacedPayload => {
      return { dataset, shard, payload: { bytes, receivedAtUs, encoding: "json", origin: HTTP_ORIGIN, receipt } };
    });
  });
  return packFrames(placed);
}

const HTTP_ORIGIN = { kind: "http" } as const;
