import { statSync } from "node:fs";
import { mkdir, open, opendir, readFile, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { LakeError, type LakeErrorKind } from "../lake-error.ts";
import { CheckedFiles } from "./checked-files.ts";
import { DurableFiles, isUnfinished } from "./durable-files.ts";
import { isWithin, normaliseLocation, pathOfLocation } from "./location.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import { withNamedChecksum } from "./named-checksum.ts";
import type { AdoptMove, AdoptedObject, ListedObject, ObjectStat, ObjectStore } from "./object-store.ts";

/** Files that `adoptAll` syncs at the same time; libuv has four threads by default. */
const ADOPT_CONCURRENCY = 8;

export interface FileStoreOptions {
  /** The warehouse: an absolute path or a file URI. Made when it is missing. */
  readonly root: string;
}

/** An object store on a local file system. It trusts the links that lie in its root. */
export async function openFileStore(options: FileStoreOptions): Promise<ObjectStore> {
  const root = normaliseLocation(options.root);
  const rootPath = pathOfLocation(root);
  const made = await guarded(root, async () => {
    await mkdir(rootPath, { recursive: true });
    return normaliseLocation(await realpath(rootPath));
  });
  return fileStore(root, [root, made]);
}

function fileStore(root: string, roots: readonly string[]): ObjectStore {
  const checked = new CheckedFiles();
  const files = new DurableFiles(pathOfLocation(root));
  const pathOf = (location: string): string => {
    const normal = normaliseLocation(location);
    if (roots.some((allowed) => isWithin(allowed, normal))) return pathOfLocation(normal);
    throw new LakeError("invalid", `location ${location} is outside the warehouse`, { context: { location, root } });
  };
  const adopt = async ({ localPath, location }: AdoptMove): Promise<AdoptedObject> => {
    const path = pathOf(location);
    return guarded(location, async () => {
      await files.move(localPath, path);
      const moved = statSync(path);
      checked.wrote(path, moved);
      return { location, sizeBytes: moved.size };
    });
  };
  return {
    root,
    put: async (location, bytes, putOptions) => {
      const path = pathOf(location);
      await guarded(location, () => files.write(path, bytes, putOptions?.ifAbsent ?? false));
    },
    get: async (location) => {
      const path = pathOf(location);
      return withNamedChecksum(location, await guarded(location, () => readFile(path)));
    },
    getRange: async (location, offset, length) => {
      const path = pathOf(location);
      return guarded(location, () => readRange(path, offset, length));
    },
    stat: async (location) => {
      const path = pathOf(location);
      return guarded(location, () => fileStat(path));
    },
    list: (prefix) => listFiles(pathOf(prefix), normaliseLocation(prefix)),
    delete: async (location) => {
      const path = pathOf(location);
      await guarded(location, () => rm(path, { force: true }));
    },
    localPath: async (location, sizeBytes) => {
      const path = pathOf(location);
      await guarded(location, () => checked.check(location, path, sizeBytes));
      return path;
    },
    adopt: (localPath, location) => adopt({ localPath, location }),
    adoptAll: (moves) => mapConcurrently(moves, ADOPT_CONCURRENCY, adopt),
  };
}

async function fileStat(path: string): Promise<ObjectStat | undefined> {
  const found = await unlessMissing(stat(path));
  return found?.isFile() ? { sizeBytes: found.size, modifiedMs: found.mtimeMs } : undefined;
}

async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await file.close();
  }
}

async function* listFiles(folder: string, location: string): AsyncGenerator<ListedObject> {
  const entries = await guarded(location, () => unlessMissing(opendir(folder)));
  if (entries === undefined) return;
  for await (const entry of entries) {
    const path = join(folder, entry.name);
    const place = location === "file:///" ? `${location}${entry.name}` : `${location}/${entry.name}`;
    if (entry.isDirectory()) yield* listFiles(path, place);
    else if (entry.isFile() && !isUnfinished(entry.name)) {
      const found = await guarded(place, () => unlessMissing(stat(path)));
      if (found !== undefined) yield { location: place, sizeBytes: found.size, modifiedMs: found.mtimeMs };
    }
  }
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

const KIND_BY_CODE: Readonly<Record<string, LakeErrorKind>> = {
  ENOENT: "not_found",
  EEXIST: "already_exists",
  EACCES: "unauthorized",
  EPERM: "unauthorized",
  EISDIR: "invalid",
  ENOTDIR: "invalid",
  ENAMETOOLONG: "invalid",
};

/** File system errors as LakeError; a full or broken disk may heal, so what is not named here is `unavailable`. */
async function guarded<T>(location: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof LakeError || code === undefined) throw error;
    const kind = KIND_BY_CODE[code] ?? "unavailable";
    throw new LakeError(kind, `${location}: ${message}`, { context: { location, code }, cause: error });
  }
}
