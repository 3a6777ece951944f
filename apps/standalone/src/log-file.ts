import { closeSync, copyFileSync, mkdirSync, openSync, readSync, fstatSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";

const BYTES_MAX = 16 * 1024 * 1024;
const CHECK_MS = 5_000;
const TAIL_BYTES = 16 * 1024;

/**
 * The logs of all processes, `DIR/NAME.log`. Children write to the file themselves (in append mode), so that a line
 * costs the supervisor nothing; a file that grew past its limit is copied to `NAME.log.1` and emptied.
 */
export class LogFolder {
  readonly #folder: string;
  readonly #names = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#timer = setInterval(() => this.rotate(BYTES_MAX), CHECK_MS).unref();
  }

  path(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  /** A descriptor for a child's stdout and stderr; close it when the child has it. */
  open(name: string): number {
    this.#names.add(name);
    return openSync(this.path(name), "a");
  }

  rotate(bytesMax: number): void {
    for (const path of [...this.#names].map((name) => this.path(name))) {
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= bytesMax) continue;
      copyFileSync(path, `${path}.1`);
      truncateSync(path);
    }
  }

  /** The last lines of a log, for the message of a failed start. */
  tail(name: string, lines: number): readonly string[] {
    let descriptor: number;
    try {
      descriptor = openSync(this.path(name), "r");
    } catch {
      return [];
    }
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    closeSync(descriptor);
    return buffer.toString("utf8").split("\n").filter(Boolean).slice(-lines);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
