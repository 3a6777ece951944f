import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LakeError } from "../lake-error.ts";
import { isWithin, normaliseLocation } from "./location.ts";
import { withNamedChecksum } from "./named-checksum.ts";
import type { AdoptMove, AdoptedObject, ObjectStat, ObjectStore } from "./object-store.ts";

interface MemoryObject extends ObjectStat {
  readonly bytes: Uint8Array;
}

export interface MemoryStoreOptions {
  /** Default `memory://warehouse`. */
  readonly root?: string;
  readonly nowMs?: () => number;
}

/** A memory store; `close` removes the local copies that `localPath` made. */
export interface MemoryStore extends ObjectStore {
  close(): Promise<void>;
}

/** An object store in memory, for tests. */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const root = normaliseLocation(options.root ?? "memory://warehouse");
  const nowMs = options.nowMs ?? Date.now;
  const objects = new Map<string, MemoryObject>();
  const copies = localCopies();

  const keyOf = (location: string): string => keyWithin(root, location);
  const found = (location: string): MemoryObject => {
    const object = objects.get(keyOf(location));
    if (object === undefined) throw new LakeError("not_found", `${location} is not there`, { context: { location } });
    return object;
  };
  const set = (location: string, bytes: Uint8Array): void => {
    objects.set(keyOf(location), { bytes, sizeBytes: bytes.length, modifiedMs: nowMs() });
  };
  const adopt = async ({ localPath, location }: AdoptMove): Promise<AdoptedObject> => {
    keyOf(location);
    const bytes = await readLocal(localPath);
    set(location, bytes);
    await rm(localPath);
    return { location, sizeBytes: bytes.length };
  };
  return {
    root,
    put: async (location, bytes, putOptions) => {
      if (putOptions?.ifAbsent && objects.has(keyOf(location))) {
        throw new LakeError("already_exists", `${location} is there`, { context: { location } });
      }
      set(location, Uint8Array.from(bytes));
    },
    get: async (location) => withNamedChecksum(location, Uint8Array.from(found(location).bytes)),
    getRange: async (location, offset, length) => found(location).bytes.slice(offset, offset + length),
    stat: async (location) => {
      const object = objects.get(keyOf(location));
      return object && { sizeBytes: object.sizeBytes, modifiedMs: object.modifiedMs };
    },
    async *list(prefix) {
      const folder = keyOf(prefix);
      for (const [location, { sizeBytes, modifiedMs }] of [...objects]) {
        if (location.startsWith(`${folder}/`)) yield { location, sizeBytes, modifiedMs };
      }
    },
    delete: async (location) => void objects.delete(keyOf(location)),
    localPath: async (location) => copies.write(withNamedChecksum(location, found(location).bytes)),
    adopt: (localPath, location) => adopt({ localPath, location }),
    adoptAll: (moves) => Promise.all(moves.map(adopt)),
    close: () => copies.close(),
  };
}

function keyWithin(root: string, location: string): string {
  const normal = normaliseLocation(location);
  if (isWithin(root, normal)) return normal;
  throw new LakeError("invalid", `location ${location} is outside the warehouse`, { context: { location, root } });
}

async function readLocal(localPath: string): Promise<Uint8Array> {
  try {
    return Uint8Array.from(await readFile(localPath));
  } catch (error) {
    throw new LakeError("not_found", `${localPath} is not there`, { cause: error });
  }
}

function localCopies(): { write(bytes: Uint8Array): Promise<string>; close(): Promise<void> } {
  let folder: Promise<string> | undefined;
  let written = 0;
  return {
    async write(bytes) {
      folder ??= mkdtemp(join(tmpdir(), "firn-memory-store-"));
      const path = join(await folder, String(written++));
      await writeFile(path, bytes);
      return path;
    },
    async close() {
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}
