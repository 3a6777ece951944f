import { setTimeout as sleep } from "node:timers/promises";
import type { Logger, Stage } from "@firn/service";
import { connectStreams, type StreamConnection } from "@firn/stream";
import type { HintPublisher } from "./commit-events.ts";

const CONNECT_LIMIT_MS = 60_000;
const PAUSE_MS = 5_000;

/** A connection to the broker that the catalog can do without: it is looked for in the background, for ever. */
export class BrokerLink implements Stage {
  readonly #url: string;
  readonly #log: Logger;
  #connection: StreamConnection | undefined;

  constructor(url: string, log: Logger) {
    this.#url = url;
    this.#log = log;
  }

  /** undefined while there is no broker. */
  publisher(): HintPublisher | undefined {
    return this.#connection?.isConnected() === true ? this.#connection : undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const options = { url: this.#url, name: "catalog", connectLimitMs: CONNECT_LIMIT_MS, signal };
        this.#connection = await connectStreams(options);
        await Promise.race([this.#connection.closed, aborted(signal)]);
      } catch (error) {
        if (!signal.aborted) this.#log.warn("commits are not announced: no broker", { error });
      }
      await this.#connection?.close().catch(() => {});
      this.#connection = undefined;
      await Promise.race([sleep(PAUSE_MS, undefined, { ref: false }), aborted(signal)]);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
