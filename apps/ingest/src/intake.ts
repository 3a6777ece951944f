import { setTimeout as sleep } from "node:timers/promises";
import type { Logger, Stage } from "@firn/service";
import {
  intakeLog,
  isStreamError,
  StreamError,
  type AppendRecord,
  type Log,
  type LogSpec,
  type StreamConnection,
} from "@firn/stream";
import { BODY_BYTES_MAX } from "./limits.ts";

const RETRY_MS_FIRST = 100;
const RETRY_MS_MAX = 2_000;
/** A frame with one payload of the largest size, or of many small ones. */
const RECORD_BYTES_NEEDED = BODY_BYTES_MAX + 1024 * 1024;

export interface IntakeOptions {
  readonly shards: number;
  readonly bytesMax?: number;
  readonly replicas: number;
}

export interface OpenIntake {
  readonly connection: StreamConnection;
  readonly log: Log;
}

/** The stream that ingest appends to, made when it is missing. Its number of shards is part of it, for good. */
function intakeSpec(options: IntakeOptions): LogSpec {
  return {
    ...intakeLog(options),
    ...(options.bytesMax !== undefined && { bytesMax: options.bytesMax }),
  };
}

/**
 * The way to the intake log, which may be absent: the service starts and answers 503 while the broker is away.
 *
 * As a stage it connects and opens the log, and again when the broker comes back or has nobody to take an append: it
 * may have come back without the stream. It fails when broker or stream can never do (wrong version, other number of
 * shards). The connection outlives the stage, so that requests in flight finish; `close` ends it.
 */
export class Intake implements Stage {
  readonly #connect: () => Promise<StreamConnection>;
  readonly #spec: LogSpec;
  readonly #logger: Logger;
  #connection: StreamConnection | undefined;
  #log: Log | undefined;
  #lookAgain: () => void = () => {};

  constructor(connect: () => Promise<StreamConnection>, options: IntakeOptions, logger: Logger) {
    this.#connect = connect;
    this.#spec = intakeSpec(options);
    this.#logger = logger;
  }

  /** All or nothing, on disk when it resolves. @throws StreamError, `unavailable` while there is no log */
  async append(records: readonly AppendRecord[]): Promise<{ lastSequence: number }> {
    if (this.#log === undefined) throw new StreamError("unavailable", "the intake log is not open yet");
    try {
      return await this.#log.append(records);
    } catch (error) {
      if (isStreamError(error, "unavailable") || isStreamError(error, "gone")) this.#lookAgain();
      throw error;
    }
  }

  /** The log and its broker, or undefined while it is not open. */
  opened(): OpenIntake | undefined {
    if (this.#connection === undefined || this.#log === undefined) return undefined;
    return { connection: this.#connection, log: this.#log };
  }

  /** Waits for the log to be open; undefined when the signal came first. */
  async untilOpen(signal: AbortSignal): Promise<OpenIntake | undefined> {
    while (!signal.aborted) {
      const open = this.opened();
      if (open !== undefined) return open;
      await sleep(RETRY_MS_FIRST, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  /** Why nothing can be appended now, or undefined. */
  whyNotReady(): string | undefined {
    if (this.#log === undefined) return "the intake stream is not open yet";
    return this.#connection?.isConnected() ? undefined : "the broker is away";
  }

  async run(signal: AbortSignal): Promise<void> {
    const ended = new Promise<undefined>((resolve) => {
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    while (!signal.aborted) {
      const connection = await this.#open(signal);
      if (connection === undefined) return;
      const reason = await Promise.race([this.#untilDoubtful(connection), ended]);
      if (reason !== undefined && !signal.aborted) throw reason;
      await sleep(RETRY_MS_FIRST, undefined, { signal }).catch(() => {});
    }
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  /** Tries until the log is open; undefined when the signal came first. */
  async #open(signal: AbortSignal): Promise<StreamConnection | undefined> {
    for (let waitMs = RETRY_MS_FIRST; !signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        this.#connection ??= await this.#connect();
        const log = await this.#connection.openLog(this.#spec);
        assertTakesPayloads(log);
        this.#log = log;
        this.#logger.info("intake stream is open", { stream: log.stream, shards: log.metadata["firn.shards"] });
        return this.#connection;
      } catch (error) {
        if (!isStreamError(error) || !error.retryable) throw error;
        this.#logger.warn("broker cannot be used yet", { error, retry_ms: waitMs });
      }
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  /** Waits for a reason to look at the stream again; resolves with an error when the connection is lost for good. */
  async #untilDoubtful(connection: StreamConnection): Promise<Error | undefined> {
    let forget = () => {};
    const doubt = new Promise<undefined>((resolve) => {
      this.#lookAgain = () => resolve(undefined);
      forget = connection.onConnectionChange((connected) => connected && resolve(undefined));
    });
    const reason = await Promise.race([doubt, connection.closed]);
    forget();
    return reason;
  }
}

function assertTakesPayloads(log: Log): void {
  if (log.recordBytesMax >= RECORD_BYTES_NEEDED) return;
  throw new StreamError("invalid", "the broker's max_payload is too small for payloads of 4 MiB; set it to 8MB", {
    recordBytesMax: log.recordBytesMax,
    recordBytesNeeded: RECORD_BYTES_NEEDED,
  });
}
