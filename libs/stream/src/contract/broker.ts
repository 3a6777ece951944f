import type { Log, LogRecord, ReadOptions } from "../log.ts";
import type { StreamConnection } from "../connection.ts";

/** What an adapter gives the contract suite: a broker that is up, and ways to hurt it. */
export interface ContractBroker {
  connect(): Promise<StreamConnection>;
  /** Deletes a stream behind the back of everyone who has it open. */
  deleteStream(name: string): Promise<void>;
  /** Ends the broker at once, without a chance to tidy up; what it acknowledged stays. */
  crash(): Promise<void>;
  /** Brings it back after a crash; resolves when it takes connections. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Of one test: the broker, a connection to it, and a name for its streams and subjects that no other test has. */
export interface ContractScene {
  broker: ContractBroker;
  streams: StreamConnection;
  /** Lower case; the stream that `openLog` opens is its upper case, its subjects are `<name>.>`. */
  name: string;
  openLog(spec?: { bytesMax?: number; metadata?: Record<string, string> }): Promise<Log>;
  /** Aborted when the test ends. */
  signal: AbortSignal;
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Reads until it has so many records. */
export async function take(log: Log, count: number, options: Omit<ReadOptions, "signal">): Promise<LogRecord[]> {
  const taken: LogRecord[] = [];
  const stop = new AbortController();
  for await (const record of log.read({ ...options, signal: stop.signal })) {
    taken.push(record);
    if (taken.length >= count) stop.abort();
  }
  return taken;
}

/** Keeps on reading in the background into an array. */
export function follow(log: Log, options: ReadOptions): { records: LogRecord[]; ended: Promise<unknown> } {
  const records: LogRecord[] = [];
  const ended = (async () => {
    for await (const record of log.read(options)) records.push(record);
  })();
  return { records, ended: ended.catch((error: unknown) => error) };
}

export async function kindOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "no error",
    (error: unknown) => (error as { kind?: unknown }).kind ?? error,
  );
}
