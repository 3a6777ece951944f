import type { LogRecord } from "@firn/stream";
import { setTimeout as sleep } from "node:timers/promises";

/** An iterator that can be asked with a time limit; a record that comes late waits for the next call. */
export class Arrivals {
  readonly #iterator: AsyncIterator<LogRecord>;
  #waiting: Promise<IteratorResult<LogRecord>> | undefined;

  constructor(records: AsyncIterable<LogRecord>) {
    this.#iterator = records[Symbol.asyncIterator]();
  }

  async next(waitMs: number): Promise<LogRecord | "none" | "ended"> {
    this.#waiting ??= this.#iterator.next();
    const timer = new AbortController();
    const late = sleep(waitMs, "none" as const, { signal: timer.signal }).catch(() => "none" as const);
    try {
      const result = await Promise.race([this.#waiting, late]);
      if (result === "none") return "none";
      this.#waiting = undefined;
      return result.done ? "ended" : result.value;
    } finally {
      timer.abort();
    }
  }
}
