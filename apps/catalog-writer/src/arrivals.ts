import type { LogRecord } from "@firn/stream";

/** An iterator that can be asked with a time limit; a record that comes late waits for the next call. */
export class Arrivals {
  readonly #iterator: AsyncIterator<LogRecord>;
  #waiting: Promise<IteratorResult<LogRecord>> | undefined;

  constructor(records: AsyncIterable<LogRecord>) {
    this.#iterator = records[Symbol.asyncIterator]();
  }

  async next(waitMs: number): Promise<LogRecord | "none" | "ended"> {
    this.#waiting ??= this.#iterator.next();
    let timer: NodeJS.Timeout | undefined;
    // A bare timer: one that a signal ends costs an error with its stack for every message.
    const late = new Promise<"none">((resolve) => (timer = setTimeout(resolve, waitMs, "none")));
    try {
      const result = await Promise.race([this.#waiting, late]);
      if (result === "none") return "none";
      this.#waiting = undefined;
      return result.done ? "ended" : result.value;
    } finally {
      clearTimeout(timer);
    }
  }
}
