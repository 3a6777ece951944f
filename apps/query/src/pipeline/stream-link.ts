import { Problem, type Logger, type Stage } from "@firn/service";
import {
  intakeLog,
  isStreamError,
  rollupLog,
  STATE_BUCKET,
  validatedLog,
  type AttemptStore,
  type Log,
  type StreamConnection,
} from "@firn/stream";
import { setTimeout as sleep } from "node:timers/promises";

/** The streams, as the pipeline looks at them. */
export interface OpenStreams {
  readonly connection: StreamConnection;
  readonly intake: Log;
  readonly validated: Log;
  readonly rollup: Log;
  readonly attempts: AttemptStore;
}

export interface StreamLinkOptions {
  readonly connect: (signal: AbortSignal) => Promise<StreamConnection>;
  /** A lake that was made with another number is refused. */
  readonly shards: number;
  readonly replicas: number;
  readonly log: Logger;
}

const RETRY_MS = 1_000;

/**
 * The connection to the broker, made in the background: questions about tables are answered while it is away, questions
 * about the pipeline say 503 then.
 */
export class StreamLink implements Stage {
  readonly #options: StreamLinkOptions;
  #open: OpenStreams | undefined;
  #hints = new Set<() => void>();

  constructor(options: StreamLinkOptions) {
    this.#options = options;
  }

  get shards(): number {
    return this.#options.shards;
  }

  isConnected(): boolean {
    return this.#open?.connection.isConnected() ?? false;
  }

  /** Throws 503 `broker_unavailable` while the broker is away. */
  streams(): OpenStreams {
    if (this.#open === undefined || !this.#open.connection.isConnected()) throw brokerAway();
    return this.#open;
  }

  /** Calls the listener after each commit that is heard of. Returns what ends it. */
  onCommit(listener: () => void): () => void {
    this.#hints.add(listener);
    return () => void this.#hints.delete(listener);
  }

  async run(signal: AbortSignal): Promise<void> {
    const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    while (!signal.aborted && this.#open === undefined) await this.#tryOpen(signal);
    if (!signal.aborted) await ended;
    await this.#open?.connection.close();
  }

  async #tryOpen(signal: AbortSignal): Promise<void> {
    let connection: StreamConnection | undefined;
    try {
      connection = await this.#options.connect(signal);
      this.#open = await openStreams(connection, this.#options);
      connection.subscribeHints("lake.committed.>", () => this.#hints.forEach((listener) => listener()));
    } catch (error) {
      await connection?.close();
      if (!isStreamError(error) || !error.retryable) throw error;
      if (!signal.aborted) this.#options.log.warn("broker not reached yet", { error });
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function openStreams(connection: StreamConnection, options: StreamLinkOptions): Promise<OpenStreams> {
  const [intake, validated, rollup, attempts] = await Promise.all([
    connection.openLog(intakeLog(options)),
    connection.openLog(validatedLog(options)),
    connection.openLog(rollupLog(options)),
    connection.attempts(STATE_BUCKET),
  ]);
  return { connection, intake, validated, rollup, attempts };
}

function brokerAway(cause?: unknown): Problem {
  return new Problem(503, "broker_unavailable", "The broker cannot be reached.", {
    headers: { "retry-after": "1" },
    cause,
  });
}

/** A failure of the broker as the asker should see it; anything else is passed on. */
export function streamProblem(error: unknown): unknown {
  return isStreamError(error) ? brokerAway(error) : error;
}
