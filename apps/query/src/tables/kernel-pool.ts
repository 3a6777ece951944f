import { Problem } from "@firn/service";
import type { Kernel, KernelConnection } from "@firn/lake";

export interface KernelPoolLimits {
  /** Statements that run at the same time. */
  readonly concurrency: number;
  /** Questions that wait for their turn; the next one is refused. */
  readonly waitingMax: number;
  /** Time that one question has, waiting included. */
  readonly timeoutMs: number;
}

/**
 * Connections to the kernel, a fixed number of them. A question that runs too long is interrupted and answered at
 * once; its connection comes back when the statement has really ended, which may be later.
 */
export class KernelPool {
  readonly #limits: KernelPoolLimits;
  readonly #free: KernelConnection[];
  readonly #all: readonly KernelConnection[];
  readonly #waiting: Waiter[] = [];

  private constructor(connections: readonly KernelConnection[], limits: KernelPoolLimits) {
    this.#all = connections;
    this.#free = [...connections];
    this.#limits = limits;
  }

  static async open(kernel: Kernel, limits: KernelPoolLimits): Promise<KernelPool> {
    const connections = await Promise.all(Array.from({ length: limits.concurrency }, () => kernel.connect()));
    // Footers of data files are read once: the files never change, and DuckDB looks at their time of change anyway.
    for (const connection of connections) await connection.run("SET parquet_metadata_cache = true");
    return new KernelPool(connections, limits);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#all.length - this.#free.length;
  }

  async run<T>(work: (connection: KernelConnection) => Promise<T>): Promise<T> {
    const endsAt = performance.now() + this.#limits.timeoutMs;
    const connection = await this.#take();
    const running = work(connection);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          connection.interrupt();
          reject(tooLong(this.#limits.timeoutMs));
        },
        Math.max(0, endsAt - performance.now()),
      );
    });
    void running.catch(() => {}).then(() => this.#giveBack(connection));
    try {
      return await Promise.race([running, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  async #take(): Promise<KernelConnection> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#waiting.length >= this.#limits.waitingMax) {
      throw new Problem(503, "busy", "Too many questions are waiting for their turn; ask again.", {
        headers: { "retry-after": "1" },
      });
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, timer: undefined };
      waiter.timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(tooLong(this.#limits.timeoutMs));
      }, this.#limits.timeoutMs);
      this.#waiting.push(waiter);
    });
  }

  #giveBack(connection: KernelConnection): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) return void this.#free.push(connection);
    clearTimeout(waiter.timer);
    waiter.resolve(connection);
  }
}

interface Waiter {
  readonly resolve: (connection: KernelConnection) => void;
  timer: NodeJS.Timeout | undefined;
}

function tooLong(timeoutMs: number): Problem {
  return new Problem(503, "question_timeout", `The answer took longer than ${timeoutMs} ms; ask for less.`, {
    headers: { "retry-after": "5" },
  });
}
