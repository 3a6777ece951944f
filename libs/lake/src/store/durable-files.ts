import { randomUUID } from "node:crypto";
import { closeSync, fsync, openSync, renameSync } from "node:fs";
import { copyFile, link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** Folders remembered as durable; forgotten all at once when there are more. */
const KNOWN_FOLDERS_MAX = 100_000;

const TEMPORARY = /^\.firn-[0-9a-f-]+\.tmp$/;

/** True for the name of a file that a write has not finished. */
export const isUnfinished = (name: string): boolean => TEMPORARY.test(name);

/**
 * File writes that survive a power loss once they resolve: bytes are synced before the file gets its name, and the
 * folder after. Syncs of one folder that are asked for at the same time are one sync.
 */
export class DurableFiles {
  readonly #folders = new Map<string, Promise<void>>();
  readonly #waitingSyncs = new Map<string, Promise<void>>();
  readonly #runningSyncs = new Map<string, Promise<void>>();
  readonly #root: string;

  /** @param root an existing folder; nothing above it is made or synced. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Writes a new file under a temporary name, then gives it its name: atomically over an old one, or `ifAbsent`. */
  async write(path: string, bytes: Uint8Array, ifAbsent: boolean): Promise<void> {
    await this.#inFolderOf(path, async (folder) => {
      const temporary = temporaryIn(folder);
      try {
        const file = await open(temporary, "wx");
        try {
          await file.writeFile(bytes);
          await file.datasync();
        } finally {
          await file.close();
        }
        await (ifAbsent ? link(temporary, path) : rename(temporary, path));
      } finally {
        await rm(temporary, { force: true });
      }
    });
    await this.syncFolder(dirname(path));
  }

  /** Moves a finished file to its place; across file systems by a copy. */
  async move(from: string, to: string): Promise<void> {
    await syncFile(from);
    await this.#inFolderOf(to, async (folder) => {
      try {
        renameSync(from, to);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
        await copyAcross(from, temporaryIn(folder), to);
      }
    });
    await this.syncFolder(dirname(to));
  }

  /** A sync that runs already may have missed the caller's change, so the caller shares the one after it. */
  syncFolder(folder: string): Promise<void> {
    const waiting = this.#waitingSyncs.get(folder);
    if (waiting !== undefined) return waiting;
    const running = this.#runningSyncs.get(folder) ?? Promise.resolve();
    const next = running
      .catch(() => undefined)
      .then(async () => {
        this.#waitingSyncs.delete(folder);
        this.#runningSyncs.set(folder, next);
        try {
          await syncFile(folder);
        } finally {
          if (this.#runningSyncs.get(folder) === next) this.#runningSyncs.delete(folder);
        }
      });
    this.#waitingSyncs.set(folder, next);
    return next;
  }

  /** Runs `work` in the folder of `path`, made when missing; once more when the folder went away meanwhile. */
  async #inFolderOf(path: string, work: (folder: string) => Promise<void>): Promise<void> {
    const folder = dirname(path);
    await this.#ensureFolder(folder);
    try {
      await work(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      this.#folders.clear();
      await this.#ensureFolder(folder);
      await work(folder);
    }
  }

  /** Makes the folder and those above it, up to the root, and syncs each one's entry in its parent once a process. */
  #ensureFolder(folder: string): Promise<void> {
    if (folder.length <= this.#root.length) return Promise.resolve();
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    if (this.#folders.size >= KNOWN_FOLDERS_MAX) this.#folders.clear();
    const made = this.#ensureFolder(dirname(folder)).then(async () => {
      await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      });
      await this.syncFolder(dirname(folder));
    });
    this.#folders.set(folder, made);
    made.catch(() => this.#folders.delete(folder));
    return made;
  }
}

function temporaryIn(folder: string): string {
  return join(folder, `.firn-${randomUUID()}.tmp`);
}

async function copyAcross(from: string, temporary: string, to: string): Promise<void> {
  try {
    await copyFile(from, temporary);
    await syncFile(temporary);
    await rename(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
  await rm(from, { force: true });
}

/** Only the sync waits for the disk: a commit moves thousands of files, and handing every call to a thread costs more. */
async function syncFile(path: string): Promise<void> {
  const file = openSync(path, "r");
  try {
    await sync(file);
  } finally {
    closeSync(file);
  }
}

const sync = promisify(fsync);
