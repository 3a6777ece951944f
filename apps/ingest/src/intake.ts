import { setTimeout as sleep } from "node:timers/promises";
import type { Logger, Stage } from "@firn/service";
import { isStreamError, StreamError, type Log, type LogSpec, type StreamConnection } from "@firn/stream";
import { BODY_BYTES_MAX } from "./limits.ts";

const RETRY_MS_FIRST = 100;
const RETRY_MS_MAX = 2_000;
/** A frame with one payload of the largest size, or of many small ones. */
const RECORD_BYTES_NEEDED = BODY_BYTES_MAX + 1024 * 1024;

export interface IntakeOptions {
  readonly shards: number;
  readonly bytesMax?: number;
  readonly replicas?: number;
}

/** The stream that ingest appends to, made when it is missing. Its number of shards is part of it, for good. */
export function intakeSpec(options: IntakeOptions): LogSpec {
  return {
    stream: "INTAKE",
    subjects: ["intake.>"],
    metadata: { "firn.shards": String(options.shards) },
    ...(options.bytesMax !== undefined && { bytesMax: options.bytesMax }),
    ...(options.replicas !== undefined && { replicas: options.replicas }),
  };
}

/**
 * The way to the intake log, which may be absent: the service starts and answers 503 while the broker is away. As a
 * stage it connects and opens the log; it fails when the broker or the stream can never do (wrong version, other
 * number of shards). The connection outlives the stage, so that requests in flight finish; `close` ends it.
 */
export class Intake implements Stage {
  readonly #connect: () => Promise<StreamConnection>;
  readonly #spec: LogSpec;
  readonly #logger: Logger;
  #connection: StreamConnection | undefined;
  #log: Log | undefined;

  constructor(connect: () => Promise<StreamConnection>, options: IntakeOptions, logger: Logger) {
    this.#connect = connect;
    this.#spec = intakeSpec(options);
    this.#logger = logger;
  }

  /** @throws StreamError `unavailable` while there is none */
  log(): Log {
    if (this.#log === undefined) throw new StreamError("unavailable", "the intake log is not open yet");
    return this.#log;
  }

  /** Why nothing can be appended now, or undefined. */
  whyNotReady(): string | undefined {
    if (this.#log === undefined) return "the intake stream is not open yet";
    return this.#connection?.isConnected() ? undefined : "the broker is away";
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#open(signal);
    const ended = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      else signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    const lost = await Promise.race([ended, this.#connection?.closed]);
    if (lost && !signal.aborted) throw lost;
    await ended;
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  async #open(signal: AbortSignal): Promise<void> {
    for (let waitMs = RETRY_MS_FIRST; !signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        this.#connection ??= await this.#connect();
        const log = await this.#connection.openLog(this.#spec);
        assertTakesPayloads(log);
        this.#log = log;
        return this.#logger.info("intake stream is open", { stream: log.stream, shards: log.metadata["firn.shards"] });
      } catch (error) {
        if (!isStreamError(error) || !error.retryable) throw error;
        this.#logger.warn("broker cannot be used yet", { error, retry_ms: waitMs });
      }
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }
}

function assertTakesPayloads(log: Log): void {
  if (log.recordBytesMax >= RECORD_BYTES_NEEDED) return;
  throw new StreamError("invalid", "the broker's max_payload is too small for payloads of 4 MiB; set it to 8MB", {
    recordBytesMax: log.recordBytesMax,
    recordBytesNeeded: RECORD_BYTES_NEEDED,
  });
}
