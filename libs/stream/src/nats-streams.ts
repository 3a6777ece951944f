import { jetstream, jetstreamManager, type JetStreamManager, type StreamInfo } from "@nats-io/jetstream";
import { headers, type Msg } from "@nats-io/transport-node";
import type { AttemptStore, HintListener, LogSpec, MemberBoard, ReplyHandler, StreamConnection } from "./connection.ts";
import { JetStreamLog } from "./jetstream-log.ts";
import { openStream } from "./jetstream-stream.ts";
import type { Log } from "./log.ts";
import { LostStreams } from "./lost-streams.ts";
import { openAttempts } from "./nats-attempts.ts";
import { fromClient } from "./nats-errors.ts";
import { openMembers } from "./nats-members.ts";
import type { NatsLink } from "./nats-link.ts";
import { StreamError } from "./stream-error.ts";
import { assertLiteralSubject } from "./subject.ts";

/** In an answer: the handler threw, and this is its message. */
const ERROR_HEADER = "Firn-Error";

export interface NatsStreamsOptions {
  requestTimeoutMs: number;
  heartbeatMs: number;
  replicas: number;
}

/** The NATS adapter of StreamConnection: streams in JetStream, hints and requests over core NATS. */
export class NatsStreams implements StreamConnection {
  readonly closed: Promise<Error | undefined>;
  readonly #link: NatsLink;
  readonly #jsm: JetStreamManager;
  readonly #options: NatsStreamsOptions;
  readonly #lost: LostStreams;

  private constructor(link: NatsLink, jsm: JetStreamManager, options: NatsStreamsOptions) {
    this.closed = link.closed;
    this.#link = link;
    this.#jsm = jsm;
    this.#options = options;
    this.#lost = new LostStreams(link);
  }

  static async over(link: NatsLink, options: NatsStreamsOptions): Promise<NatsStreams> {
    const jsm = await jetstreamManager(link.nc, { checkAPI: false, timeout: options.requestTimeoutMs });
    return new NatsStreams(link, jsm, options);
  }

  async openLog(spec: LogSpec): Promise<Log> {
    const { requestTimeoutMs, heartbeatMs } = this.#options;
    const info = await this.#openStream(spec);
    this.#lost.add(`stream ${spec.stream}`, () => this.#openStream(spec));
    return new JetStreamLog({ link: this.#link, jsm: this.#jsm, info, requestTimeoutMs, heartbeatMs });
  }

  async #openStream(spec: LogSpec): Promise<StreamInfo> {
    try {
      return await this.#link.guard(() => openStream(this.#jsm, { replicas: this.#options.replicas, ...spec }));
    } catch (error) {
      throw fromClient(error, "unavailable", { stream: spec.stream });
    }
  }

  publishHint(subject: string, data: Uint8Array): void {
    assertLiteralSubject(subject);
    if (this.#link.connected) this.#link.nc.publish(subject, data);
  }

  subscribeHints(subject: string, listener: HintListener): () => void {
    const subscription = this.#link.nc.subscribe(subject, {
      callback: (error, message) => {
        if (!error) listener(message.subject, message.data);
      },
    });
    return () => subscription.unsubscribe();
  }

  async request(subject: string, data: Uint8Array, { timeoutMs }: { timeoutMs: number }): Promise<Uint8Array> {
    let answer: Msg;
    try {
      answer = await this.#link.guard(() => this.#link.nc.request(subject, data, { timeout: timeoutMs }));
    } catch (error) {
      throw fromClient(error, "unknown_outcome", { subject });
    }
    const problem = answer.headers?.get(ERROR_HEADER);
    if (problem) throw new StreamError("invalid", decodeURIComponent(problem), { subject });
    return answer.data;
  }

  reply(subject: string, { queue }: { queue: string }, handler: ReplyHandler): () => void {
    const subscription = this.#link.nc.subscribe(subject, {
      queue,
      callback: (error, message) => {
        if (!error) void answer(message, handler);
      },
    });
    return () => subscription.unsubscribe();
  }

  async attempts(bucket: string): Promise<AttemptStore> {
    const js = jetstream(this.#link.nc, { timeout: this.#options.requestTimeoutMs });
    const open = () => openAttempts(this.#link, js, bucket, this.#options.replicas);
    const store = await open();
    this.#lost.add(`bucket ${bucket}`, open);
    return store;
  }

  async members(bucket: string): Promise<MemberBoard> {
    const { replicas, requestTimeoutMs } = this.#options;
    const js = jetstream(this.#link.nc, { timeout: requestTimeoutMs });
    const open = () => openMembers({ link: this.#link, js, jsm: this.#jsm, bucket, replicas });
    const board = await open();
    this.#lost.add(`bucket ${bucket}`, open);
    return board;
  }

  isConnected(): boolean {
    return this.#link.connected;
  }

  onConnectionChange(listener: (connected: boolean) => void): () => void {
    return this.#link.onChange(listener);
  }

  async close(): Promise<void> {
    const { nc } = this.#link;
    if (this.#link.connected && !nc.isClosed()) await this.#link.guard(() => nc.flush()).catch(() => {});
    await nc.close();
    await this.closed;
  }
}

async function answer(message: Msg, handler: ReplyHandler): Promise<void> {
  try {
    message.respond(await handler(message.data, message.subject));
  } catch (error) {
    const problem = headers();
    problem.set(ERROR_HEADER, encodeURIComponent(error instanceof Error ? error.message : String(error)));
    message.respond(new Uint8Array(), { headers: problem });
  }
}
