import { StreamError, type AppendRecord, type Log, type LogRecord, type ReadOptions } from "@firn/stream";

export type LogOperation = "append" | "read" | "last" | "bounds" | "pending" | "trim" | "identity";

export interface LogFault {
  on: LogOperation;
  /** `before`: fails instead of doing it; `after`: does it and fails then, as when the answer is lost. */
  when: "before" | "after";
  /** How many calls pass before this one fails; 0 by default. For `read`: how many records. */
  afterCalls?: number;
  /** `unavailable` before and `unknown_outcome` after, unless given. */
  error?: Error;
}

/** A log that fails as its script says, each fault once, and otherwise does what the log underneath does. */
export class FaultyLog implements Log {
  readonly stream: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly recordBytesMax: number;
  readonly #log: Log;
  readonly #script: { fault: LogFault; callsLeft: number }[] = [];
  readonly calls: Record<LogOperation, number> = {
    append: 0,
    read: 0,
    last: 0,
    bounds: 0,
    pending: 0,
    trim: 0,
    identity: 0,
  };

  constructor(log: Log, faults: readonly LogFault[] = []) {
    this.stream = log.stream;
    this.metadata = log.metadata;
    this.recordBytesMax = log.recordBytesMax;
    this.#log = log;
    for (const fault of faults) this.fail(fault);
  }

  /** Adds a fault to the script; it counts calls from now on. */
  fail(fault: LogFault): void {
    this.#script.push({ fault, callsLeft: fault.afterCalls ?? 0 });
  }

  /** How many faults have not come yet. */
  get faultsLeft(): number {
    return this.#script.length;
  }

  identity(): Promise<string> {
    return this.#play("identity", () => this.#log.identity());
  }

  append(records: readonly AppendRecord[]): Promise<{ lastSequence: number }> {
    return this.#play("append", () => this.#log.append(records));
  }

  async *read(options: ReadOptions): AsyncGenerator<LogRecord> {
    for await (const record of this.#log.read(options)) {
      const fault = this.#next("read");
      if (fault?.when === "before") throw errorOf(fault);
      yield record;
      if (fault?.when === "after") throw errorOf(fault);
    }
  }

  last(subject: string): Promise<LogRecord | undefined> {
    return this.#play("last", () => this.#log.last(subject));
  }

  bounds(): ReturnType<Log["bounds"]> {
    return this.#play("bounds", () => this.#log.bounds());
  }

  pending(subjects: readonly string[], afterSequence: number): Promise<number> {
    return this.#play("pending", () => this.#log.pending(subjects, afterSequence));
  }

  trim(subject: string, throughSequence: number): Promise<void> {
    return this.#play("trim", () => this.#log.trim(subject, throughSequence));
  }

  async #play<T>(operation: LogOperation, work: () => Promise<T>): Promise<T> {
    const fault = this.#next(operation);
    if (fault?.when === "before") throw errorOf(fault);
    const value = await work();
    if (fault?.when === "after") throw errorOf(fault);
    return value;
  }

  #next(operation: LogOperation): LogFault | undefined {
    this.calls[operation] += 1;
    const due = this.#script.find(({ fault, callsLeft }) => fault.on === operation && callsLeft === 0);
    for (const entry of this.#script) if (entry.fault.on === operation) entry.callsLeft -= 1;
    if (due) this.#script.splice(this.#script.indexOf(due), 1);
    for (const entry of this.#script) entry.callsLeft = Math.max(entry.callsLeft, 0);
    return due?.fault;
  }
}

function errorOf({ on, when, error }: LogFault): Error {
  if (error !== undefined) return error;
  const kind = when === "before" || on === "read" ? "unavailable" : "unknown_outcome";
  return new StreamError(kind, `scripted fault ${when} ${on}`, { on, when });
}
