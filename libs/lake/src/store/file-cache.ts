import { createHash, randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { LakeError } from "../lake-error.ts";

export interface FileCacheOptions {
  /** Belongs to one process; emptied when the cache is opened and made when it is missing. */
  readonly folder: string;
  /** What is over it goes, the least recently used first, but nothing that was handed out within `keepMs`. */
  readonly bytesMax: number;
  /** Readers open a path some time after they got it. Default 10 minutes. */
  readonly keepMs?: number;
  readonly nowMs?: () => number;
}

interface CachedFile {
  readonly path: string;
  readonly sizeBytes: number;
  usedMs: number;
}

const KEEP_MS = 600_000;
/** Enough to tell objects apart in a folder; the name after it is for the person who reads an error. */
const HASH_CHARS = 20;
const NAME_CHARS_MAX = 100;

/**
 * Local copies of objects, each fetched once: data files never change. Calls for one object at the same time share one
 * fetch. The folder is emptied at the start, because a copy that a power loss cut has its name and not its bytes.
 */
export class FileCache {
  readonly #options: Required<FileCacheOptions>;
  /** In the order of their last use. */
  readonly #files = new Map<string, CachedFile>();
  readonly #fetching = new Map<string, Promise<CachedFile>>();
  #bytes = 0;

  private constructor(options: Required<FileCacheOptions>) {
    this.#options = options;
  }

  static async open(options: FileCacheOptions): Promise<FileCache> {
    await rm(options.folder, { recursive: true, force: true });
    await mkdir(options.folder, { recursive: true });
    return new FileCache({ keepMs: KEEP_MS, nowMs: Date.now, ...options });
  }

  /** Bytes of the files that are there now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The path of the object's copy.
   * @param fetch writes the object to a path that does not exist yet
   * @throws LakeError `corrupt` when the object has another size than `sizeBytes`
   */
  async path(location: string, sizeBytes: number | undefined, fetch: (to: string) => Promise<void>): Promise<string> {
    const file = (await this.#present(location)) ?? (await this.#shared(location, fetch));
    if (sizeBytes !== undefined && file.sizeBytes !== sizeBytes) {
      await this.drop(location);
      throw new LakeError("corrupt", `${location} has ${file.sizeBytes} bytes, expected ${sizeBytes}`, {
        context: { location, sizeBytes: file.sizeBytes, expectedBytes: sizeBytes },
      });
    }
    this.#use(location, file);
    await this.#shrink();
    return file.path;
  }

  /** Takes a local file whose bytes are the object's; afterwards it is no longer where it was. */
  async take(location: string, localPath: string, sizeBytes: number): Promise<void> {
    await this.drop(location);
    const path = this.#pathOf(location);
    try {
      await rename(localPath, path);
    } catch {
      // On another disk, or the folder is gone: the object is safe, and is fetched when it is asked for.
      return rm(localPath, { force: true });
    }
    this.#put(location, { path, sizeBytes, usedMs: this.#options.nowMs() });
    await this.#shrink();
  }

  /** The object went or got other bytes. */
  async drop(location: string): Promise<void> {
    const file = this.#files.get(location);
    if (file === undefined) return;
    this.#files.delete(location);
    this.#bytes -= file.sizeBytes;
    await rm(file.path, { force: true });
  }

  /** The copy, if somebody has not cleared the folder meanwhile: local state may go at any time. */
  async #present(location: string): Promise<CachedFile | undefined> {
    const file = this.#files.get(location);
    if (file === undefined || (await sizeOf(file.path)) === file.sizeBytes) return file;
    await this.drop(location);
    return undefined;
  }

  #shared(location: string, fetch: (to: string) => Promise<void>): Promise<CachedFile> {
    const running = this.#fetching.get(location);
    if (running !== undefined) return running;
    const fetching = this.#fetch(location, fetch).finally(() => this.#fetching.delete(location));
    this.#fetching.set(location, fetching);
    return fetching;
  }

  async #fetch(location: string, fetch: (to: string) => Promise<void>): Promise<CachedFile> {
    const path = this.#pathOf(location);
    const unfinished = `${path}.part`;
    await mkdir(this.#options.folder, { recursive: true });
    try {
      await fetch(unfinished);
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    const file = { path, sizeBytes: (await stat(path)).size, usedMs: this.#options.nowMs() };
    this.#put(location, file);
    return file;
  }

  /** A new name each time: whoever still reads an older copy keeps it. */
  #pathOf(location: string): string {
    const hash = createHash("sha256").update(location).digest("hex").slice(0, HASH_CHARS);
    const name = location.slice(location.lastIndexOf("/") + 1).slice(-NAME_CHARS_MAX);
    return join(this.#options.folder, `${hash}-${randomUUID().slice(0, 8)}-${name.replaceAll("%", "_")}`);
  }

  #put(location: string, file: CachedFile): void {
    this.#files.set(location, file);
    this.#bytes += file.sizeBytes;
  }

  #use(location: string, file: CachedFile): void {
    file.usedMs = this.#options.nowMs();
    if (this.#files.delete(location)) this.#files.set(location, file);
  }

  async #shrink(): Promise<void> {
    const { bytesMax, keepMs, nowMs } = this.#options;
    for (const [location, file] of this.#files) {
      if (this.#bytes <= bytesMax || nowMs() - file.usedMs < keepMs) return;
      await this.drop(location);
    }
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
