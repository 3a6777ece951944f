import type { LogRecord } from "@firn/stream";

/**
 * Takes records from a log for one run after the other: everything that is there, up to a number of bytes. A run does
 * not wait for more input, but it does while `busy` (an append is on its way): what comes meanwhile goes into it.
 */
export class RunCollector {
  readonly #iterator: AsyncIterator<LogRecord>;
  #next: Promise<IteratorResult<LogRecord>> | undefined;

  constructor(records: AsyncIterable<LogRecord>) {
    this.#iterator = records[Symbol.asyncIterator]();
  }

  /**
   * The records of the next run, at least one; empty when the log's iteration has ended. Rejects when `busy` does
   * before there is a first record.
   */
  async collect(busy: Promise<unknown>, bytesMax: number): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    let bytes = 0;
    let idle = false;
    const becomesIdle = busy.then(
      () => (idle = true),
      () => (idle = true),
    );
    const failure = new Promise<never>((_, reject) => void busy.catch(reject));
    failure.catch(() => undefined);
    while (bytes < bytesMax) {
      this.#next ??= this.#iterator.next();
      if (records.length > 0 && !(await isReady(this.#next))) {
        if (idle) break;
        await Promise.race([this.#next, becomesIdle]);
        continue;
      }
      const { done, value } = await Promise.race([this.#next, failure]);
      if (done === true) break;
      this.#next = undefined;
      records.push(value);
      bytes += value.data.byteLength;
    }
    return records;
  }
}

/** Whether a promise settles before the event loop turns. */
function isReady(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise<boolean>((resolve) => setImmediate(resolve, false));
  return Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    turn,
  ]);
}
