import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { checksumOfFile, checksumOfName, requireChecksum } from "./named-checksum.ts";
import { semaphore } from "./semaphore.ts";

/** Files whose check is remembered; the oldest are forgotten first, and checked again. */
const KNOWN_MAX = 100_000;
/** Times of change are as fine as the kernel's tick: a file that is younger may change and keep its time. */
const SETTLED_MS = 50;
/** libuv has four threads by default; more would only take memory. */
const READS_AT_ONCE = 8;

/**
 * Local files that were found to have the bytes that their names speak of. Each is read once; again when it was changed
 * since (its size, inode or time of change, which cannot be set back, is another).
 */
export class CheckedFiles {
  readonly #known = new Map<string, string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #read = semaphore(READS_AT_ONCE);

  /**
   * Resolves when the file at `path` has the checksum in the location's name, when that has none, and when there is no
   * such file: whoever opens it will see.
   * @param expectedBytes a file of another size is left to the caller, who can say more of it
   * @throws LakeError `corrupt`
   */
  async check(location: string, path: string, expectedBytes?: number): Promise<void> {
    const expected = checksumOfName(location);
    if (expected === undefined) return;
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || (expectedBytes !== undefined && found.size !== expectedBytes)) return;
    const isSettled = Date.now() - found.ctimeMs > SETTLED_MS;
    const state = stateOf(found);
    if (this.#known.get(path) === state) return;
    const key = `${path} ${state}`;
    const running = this.#running.get(key) ?? this.#verify(location, path, expected, found.size);
    this.#running.set(key, running);
    try {
      await running;
    } finally {
      this.#running.delete(key);
    }
    if (isSettled) this.#remember(path, state);
  }

  /** A file that this process has just written and named by its checksum: it need not be read for that. */
  wrote(path: string, found: Stats): void {
    this.#remember(path, stateOf(found));
  }

  async #verify(location: string, path: string, expected: number, sizeBytes: number): Promise<void> {
    requireChecksum(location, expected, await this.#read(() => checksumOfFile(path, sizeBytes)));
  }

  #remember(path: string, state: string): void {
    this.#known.delete(path);
    this.#known.set(path, state);
    if (this.#known.size <= KNOWN_MAX) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

const stateOf = ({ size, ino, ctimeMs }: Stats): string => `${size} ${ino} ${ctimeMs}`;
