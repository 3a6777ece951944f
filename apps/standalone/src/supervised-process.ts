import { spawn, type ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { Backoff } from "./backoff.ts";
import type { LogFolder } from "./log-file.ts";
import type { ProcessLedger } from "./process-ledger.ts";

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whom it runs as; absent: as this process. */
  readonly uid?: number;
  readonly gid?: number;
  /** By which it ends in order; default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Resolves true when the process answers. Without it the process says so itself by IPC: `{ kind: "ready", url }`. */
  readonly isReady?: () => Promise<boolean>;
}

export interface ProcessHost {
  readonly logs: LogFolder;
  readonly ledger: ProcessLedger;
  /** The process is ready, for the first time or again. */
  onReady(name: string, pid: number): void;
  /** The process ended by itself and is started again after `delayMs`. */
  onEnded(name: string, how: string, delayMs: number): void;
}

const READY_LIMIT_MS = 90_000;
const READY_POLL_MS = 50;
const DRAIN_LIMIT_MS = 25_000;
const FIRST_START_TRIES = 3;
/** Exit code of a service whose environment is wrong: another try would end the same way. */
const WRONG_CONFIGURATION = 2;

/** A child could not be brought up. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/**
 * One child that is kept running: started, watched until it is ready, and started again with growing delays when it
 * ends. Children lead process groups of their own, so that Ctrl-C in a terminal reaches only the supervisor, which ends
 * them in order.
 */
export class SupervisedProcess {
  readonly #spec: ProcessSpec;
  readonly #host: ProcessHost;
  readonly #backoff = new Backoff();
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #watching: Promise<void> = Promise.resolve();

  constructor(spec: ProcessSpec, host: ProcessHost) {
    this.#spec = spec;
    this.#host = host;
  }

  get name(): string {
    return this.#spec.name;
  }

  /** Resolves when the process is ready for the first time. @throws StartError */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#watching = this.#keepRunning(resolve, reject);
    });
  }

  /** Lets the process drain and end; kills it when that takes too long. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill(this.#spec.stopSignal ?? "SIGTERM");
      const killing = setTimeout(() => child.kill("SIGKILL"), DRAIN_LIMIT_MS);
      await this.#watching;
      clearTimeout(killing);
    }
    await this.#watching;
  }

  /** Ends it at once, without draining. */
  kill(): void {
    this.#stopping.abort();
    this.#child?.kill("SIGKILL");
  }

  async #keepRunning(firstReady: () => void, failed: (error: StartError) => void): Promise<void> {
    let everReady = false;
    for (let tries = 1; !this.#stopping.signal.aborted; tries += 1) {
      const startedMs = Date.now();
      const run = this.#spawn();
      const ready = await Promise.race([run.ready, run.ended.then(() => false)]);
      if (ready) {
        everReady = true;
        if (run.child.pid !== undefined) {
          // Its command line may have changed since it was spawned (a wrapper that execs).
          this.#host.ledger.add(this.name, run.child.pid);
          this.#host.onReady(this.name, run.child.pid);
        }
        firstReady();
      } else if (!this.#stopping.signal.aborted) {
        run.child.kill("SIGKILL");
      }
      const how = await run.ended;
      if (this.#stopping.signal.aborted) break;
      const hopeless = run.child.exitCode === WRONG_CONFIGURATION || tries >= FIRST_START_TRIES;
      if (!everReady && hopeless) return failed(this.#startError(how));
      const delayMs = this.#backoff.next(Date.now() - startedMs);
      this.#host.onEnded(this.name, how, delayMs);
      await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    if (!everReady) failed(new StartError(`${this.name} was stopped before it was ready`));
  }

  #spawn() {
    const { name, command, args, env, cwd, uid, gid, isReady } = this.#spec;
    const log = this.#host.logs.open(name);
    const child = spawn(command, args, {
      cwd,
      env: env as NodeJS.ProcessEnv,
      detached: true,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      stdio: isReady ? ["ignore", log, log] : ["ignore", log, log, "ipc"],
    });
    closeSync(log);
    this.#child = child;
    if (child.pid !== undefined) this.#host.ledger.add(name, child.pid);
    const ended = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
    }).then((how) => {
      this.#host.ledger.remove(name);
      return how;
    });
    return { child, ended, ready: isReady ? this.#pollReady(child, isReady) : messageReady(child) };
  }

  async #pollReady(child: ChildProcess, isReady: () => Promise<boolean>): Promise<boolean> {
    const giveUpAt = Date.now() + READY_LIMIT_MS;
    while (child.exitCode === null && child.signalCode === null && Date.now() < giveUpAt) {
      if (this.#stopping.signal.aborted) return false;
      if (await isReady()) return true;
      await sleep(READY_POLL_MS);
    }
    return false;
  }

  #startError(how: string): StartError {
    const tail = this.#host.logs.tail(this.name, 8).map((line) => `  ${line}`);
    const log = this.#host.logs.path(this.name);
    return new StartError([`${this.name} does not start: ${how}. Its log is ${log}`, ...tail].join("\n"));
  }
}

function messageReady(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => resolve(false), READY_LIMIT_MS);
    const settle = (ready: boolean) => {
      clearTimeout(limit);
      resolve(ready);
    };
    child.once("exit", () => settle(false));
    child.once("error", () => settle(false));
    child.on("message", (message) => {
      if ((message as { kind?: unknown } | null)?.kind === "ready") settle(true);
    });
  });
}
