import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { waitFor } from "./wait-for.ts";

const LOG_CHARS_MAX = 2_000_000;

export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A child process with its output kept; killed when this process ends. */
export class Child {
  readonly process: ChildProcess;
  readonly exited: Promise<ChildExit>;
  #log = "";
  #exit: ChildExit | undefined;
  #file: WriteStream | undefined;

  constructor(command: string, args: readonly string[], options: SpawnOptions & { logFile?: string | undefined }) {
    const { logFile, ...spawnOptions } = options;
    if (logFile !== undefined) this.#file = createWriteStream(logFile, { flags: "a" });
    this.process = spawn(command, args, spawnOptions);
    const endWithParent = () => this.process.kill("SIGKILL");
    process.once("exit", endWithParent);
    this.exited = new Promise((resolve) => {
      const end = (exit: ChildExit) => {
        process.off("exit", endWithParent);
        this.#exit ??= exit;
        this.#file?.end();
        resolve(this.#exit);
      };
      this.process.once("error", (error) => {
        this.#keep(`${error.message}\n`);
        end({ code: null, signal: null });
      });
      this.process.once("exit", (code, signal) => end({ code, signal }));
    });
    for (const output of [this.process.stdout, this.process.stderr]) {
      output?.setEncoding("utf8").on("data", (text: string) => this.#keep(text));
    }
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`the process did not start: ${this.#log.trim()}`);
    return pid;
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  /** What it wrote to stdout and stderr, the newest two million characters. */
  get log(): string {
    return this.#log;
  }

  /** Throws with the end of the log when the process has ended. */
  assertAlive(what: string): void {
    if (this.#exit === undefined) return;
    const { code, signal } = this.#exit;
    throw new Error(`${what} ended (code ${code}, signal ${signal}): ${this.#log.slice(-2_000)}`);
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<ChildExit> {
    this.process.kill("SIGKILL");
    return this.exited;
  }

  /** SIGTERM, and SIGKILL when it has not ended within the limit. */
  async stop(limitMs: number): Promise<ChildExit> {
    this.process.kill("SIGTERM");
    await waitFor(() => this.hasExited, { limitMs }).catch(() => this.process.kill("SIGKILL"));
    return this.exited;
  }

  #keep(text: string): void {
    this.#file?.write(text);
    this.#log = (this.#log + text).slice(-LOG_CHARS_MAX);
  }
}
