import { backOffMs, pause } from "./back-off.ts";
import type { NatsLink } from "./nats-link.ts";
import { isStreamError } from "./stream-error.ts";

const RETRY = { delayMinMs: 100, delayMaxMs: 2_000 };

/**
 * Makes again what a broker came back without: one that lost its files knows neither streams nor buckets, and nobody
 * would make them before the next start of a process. They are empty and have another identity, which their readers
 * see; what is there stays as it is.
 */
export class LostStreams {
  readonly #link: NatsLink;
  readonly #opened = new Map<string, () => Promise<unknown>>();
  #looking = false;

  constructor(link: NatsLink) {
    this.#link = link;
    link.onChange((connected) => connected && void this.#look());
  }

  /** @param open makes what is missing; called again after each return of the broker */
  add(name: string, open: () => Promise<unknown>): void {
    this.#opened.set(name, open);
  }

  /** Never rejects. What cannot be (`invalid`) is for the next who opens it. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    for (const open of this.#opened.values()) {
      for (let failures = 0; this.#link.connected; failures++) {
        try {
          await open();
          break;
        } catch (error) {
          if (!isStreamError(error) || !error.retryable) break;
          await pause(backOffMs(failures, RETRY), this.#link.ended);
        }
      }
    }
    this.#looking = false;
  }
}
