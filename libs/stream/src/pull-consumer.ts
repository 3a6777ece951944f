import type { ConsumerConfig, JetStreamManager } from "@nats-io/jetstream";
import { createInbox, nanos, nuid, type Msg } from "@nats-io/transport-node";
import { parseDelivery } from "./jetstream-record.ts";
import { findStream, identityOf } from "./jetstream-stream.ts";
import type { NatsLink } from "./nats-link.ts";
import type { PrefetchQueue } from "./prefetch-queue.ts";
import { StreamError } from "./stream-error.ts";

/** How long the server keeps a consumer that nobody pulls from, for example while the reader commits. */
const INACTIVE_MS = 300_000;
const PULL_RECORDS_MAX = 2_000;
const PULL_EXPIRES_MS = 30_000;
/** What subject, headers and reply subject add to the size of a delivered message, at most. */
const DELIVERY_OVERHEAD_BYTES = 66 * 1024;
const SILENT_HEARTBEATS_MAX = 3;

export interface ReadSource {
  link: NatsLink;
  jsm: JetStreamManager;
  stream: string;
  /** Identity of the stream that positions belong to: a reader never goes on in another one. */
  identity: string;
  heartbeatMs: number;
}

/**
 * One consumer from its making to its loss: an ephemeral one without acknowledgements, kept in the server's memory,
 * placed right after the position. It asks for records with one pull at a time, bounded in bytes (outstanding pulls
 * of more than 16 MB make the server drop the client), while the queue has room for another one.
 */
export class PullConsumer {
  readonly #source: ReadSource;
  readonly #queue: PrefetchQueue;
  readonly #name = `firn-${nuid.next()}`;
  readonly #inbox: string;
  #position: number;
  #delivered = 0;
  #pullOpen = false;
  #pullLeft = 0;
  #pullDelivered = 0;
  #oversize = false;
  #silentHeartbeats = 0;
  #lose: (reason: string) => void = () => {};

  constructor(source: ReadSource, queue: PrefetchQueue, position: number) {
    this.#source = source;
    this.#inbox = createInbox(source.link.inboxPrefix);
    this.#queue = queue;
    this.#position = position;
  }

  /** The sequence of the last record that went into the queue. */
  get position(): number {
    return this.#position;
  }

  get delivered(): number {
    return this.#delivered;
  }

  /**
   * Fills the queue until the consumer is lost (resolves with why; a new one goes on at `position`) or the signal.
   * Throws what making it threw, and `gone` when this is not the stream that is read.
   */
  async run(subjects: readonly string[], signal: AbortSignal): Promise<string> {
    const { link, heartbeatMs } = this.#source;
    const lost = new Promise<string>((resolve) => (this.#lose = resolve));
    const abort = () => this.#lose("ended by the reader");
    const forget = link.onChange((connected) => !connected && this.#lose("disconnected"));
    const subscription = link.nc.subscribe(this.#inbox, {
      callback: (error, message) => (error ? this.#lose(error.message) : this.#receive(message)),
    });
    const watch = setInterval(() => this.#countSilence(), heartbeatMs);
    signal.addEventListener("abort", abort);
    try {
      if (signal.aborted) return "ended by the reader";
      const early = await Promise.race([link.guard(() => this.#make(subjects)), lost]);
      if (early !== undefined) return early;
      this.#queue.onRoom = () => this.#pull();
      this.#pull();
      return await lost;
    } finally {
      clearInterval(watch);
      signal.removeEventListener("abort", abort);
      forget();
      this.#queue.onRoom = () => {};
      this.#pullOpen = true; // a late message must not start another pull
      if (!subscription.isClosed()) subscription.unsubscribe();
      this.#remove();
    }
  }

  async #make(subjects: readonly string[]): Promise<void> {
    const { jsm, stream, identity } = this.#source;
    const filter = subjects.length === 1 ? { filter_subject: subjects[0]! } : { filter_subjects: [...subjects] };
    const config: Partial<ConsumerConfig> = {
      ...filter,
      name: this.#name,
      ack_policy: "none",
      deliver_policy: "by_start_sequence",
      opt_start_seq: this.#position + 1,
      inactive_threshold: nanos(INACTIVE_MS),
      mem_storage: true,
      num_replicas: 1,
    };
    await jsm.consumers.add(stream, config);
    // Only now: a stream that is made anew after this look takes the consumer with it.
    const found = await findStream(jsm, stream);
    const context = { stream, opened: identity, found: found && identityOf(found), afterSequence: this.#position };
    if (found === undefined) throw new StreamError("gone", `stream ${stream} was deleted`, context);
    if (identityOf(found) !== identity) throw new StreamError("gone", `stream ${stream} was made anew`, context);
    if (found.state.last_seq < this.#position) {
      const message = `stream ${stream} ends at ${found.state.last_seq}, before ${this.#position}`;
      throw new StreamError("gone", message, { ...context, lastSequence: found.state.last_seq });
    }
  }

  #pull(): void {
    const { link, stream, heartbeatMs } = this.#source;
    if (this.#pullOpen || !link.connected || this.#queue.bytes > this.#queue.bytesMax / 2) return;
    const largest = (link.nc.info?.max_payload ?? 0) + DELIVERY_OVERHEAD_BYTES;
    const bytes = this.#oversize ? largest : Math.ceil(this.#queue.bytesMax / 2);
    this.#pullOpen = true;
    this.#pullLeft = PULL_RECORDS_MAX;
    this.#pullDelivered = 0;
    this.#silentHeartbeats = 0;
    const request = {
      batch: PULL_RECORDS_MAX,
      max_bytes: bytes,
      expires: nanos(Math.max(PULL_EXPIRES_MS, 2 * heartbeatMs)),
      idle_heartbeat: nanos(heartbeatMs),
    };
    link.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${this.#name}`, JSON.stringify(request), {
      reply: this.#inbox,
    });
  }

  #receive(message: Msg): void {
    this.#silentHeartbeats = 0;
    const delivery = parseDelivery(message);
    if (delivery === undefined) return this.#receiveStatus(message);
    const { record, deliverySequence } = delivery;
    if (deliverySequence !== this.#delivered + 1 || record.sequence <= this.#position) {
      return this.#lose(`delivery ${deliverySequence} (record ${record.sequence}) after ${this.#delivered}`);
    }
    this.#delivered = deliverySequence;
    this.#position = record.sequence;
    this.#oversize = false;
    this.#pullDelivered += 1;
    this.#pullLeft -= 1;
    this.#queue.push(record);
    if (this.#pullLeft === 0) this.#endPull();
  }

  /** Status messages of a pull (ADR-13): how it ended, that it still runs, or that the consumer is no more. */
  #receiveStatus(message: Msg): void {
    const code = message.headers?.code ?? 0;
    const description = (message.headers?.description ?? "").toLowerCase();
    if (code === 100) {
      const last = message.headers?.get("Nats-Last-Consumer");
      if (last !== undefined && last !== "" && Number(last) !== this.#delivered) {
        this.#lose(`the server delivered ${last} records, ${this.#delivered} came`);
      }
    } else if (code === 408 || code === 404) {
      this.#endPull();
    } else if (code === 409 && description.includes("exceeds maxbytes")) {
      this.#oversize = this.#pullDelivered === 0;
      this.#endPull();
    } else if (code === 409 && description.includes("batch completed")) {
      // Follows the last record of a full pull, which was counted already.
    } else if (code !== 0) {
      this.#lose(`${code} ${description}`);
    }
  }

  #endPull(): void {
    this.#pullOpen = false;
    this.#pull();
  }

  /** Counts ticks instead of time: a process that was busy for long must not take its own silence for the server's. */
  #countSilence(): void {
    if (!this.#pullOpen) return;
    this.#silentHeartbeats += 1;
    if (this.#silentHeartbeats >= SILENT_HEARTBEATS_MAX) this.#lose("no heartbeat");
  }

  /** Frees the server's memory now instead of after INACTIVE_MS; nothing hangs on it. */
  #remove(): void {
    const { link, jsm, stream } = this.#source;
    if (link.connected) jsm.consumers.delete(stream, this.#name).catch(() => {});
  }
}
