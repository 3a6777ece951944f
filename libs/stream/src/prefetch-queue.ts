import type { LogRecord } from "./log.ts";

/** What a record costs beside its data: the object, its subject and headers. */
const RECORD_OVERHEAD_BYTES = 256;

/** Records between the one that receives them and the one that reads them, counted in bytes until they were read. */
export class PrefetchQueue {
  readonly bytesMax: number;
  #records: LogRecord[] = [];
  #bytes = 0;
  #ended = false;
  #failure: Error | undefined;
  #wakeReader = () => {};
  /** Called when the reader took a record off: there may be room for more. */
  onRoom = () => {};

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(record: LogRecord): void {
    this.#records.push(record);
    this.#bytes += record.data.byteLength + RECORD_OVERHEAD_BYTES;
    this.#wakeReader();
  }

  /** No more will come; what waits is still read, unless the reader stops itself. */
  end(failure?: Error): void {
    this.#ended = true;
    this.#failure ??= failure;
    this.#wakeReader();
  }

  /** Yields until the end or the signal; throws the failure after what came before it. */
  async *read(signal: AbortSignal): AsyncGenerator<LogRecord> {
    const wake = () => this.#wakeReader();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted) {
        const ready = this.#records;
        this.#records = [];
        for (const record of ready) {
          if (signal.aborted) return;
          yield record;
          this.#bytes -= record.data.byteLength + RECORD_OVERHEAD_BYTES;
          this.onRoom();
        }
        if (this.#records.length > 0 || signal.aborted) continue;
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#ended) return;
        await new Promise<void>((resolve) => (this.#wakeReader = resolve));
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }
}
