import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MemoryCatalog } from "../src/catalog/memory-catalog.ts";
import { lakeEnvironment, type LakeEnvironment } from "../src/commit/environment.ts";
import type { Table } from "../src/commit/table.ts";
import { LakeError } from "../src/lake-error.ts";
import { readMetadata } from "../src/metadata/metadata-file.ts";
import { normaliseLocation } from "../src/store/location.ts";
import type { ObjectStore } from "../src/store/object-store.ts";
import { memoryStore } from "../src/store/memory-store.ts";

/** The tables that tools/make-golden-tables.py let Spark write; their locations begin with file:/golden. */
const FOLDER = join(import.meta.dirname, "golden", "spark");
const ROOT = "file:///golden";

/** What Spark reads from them: rows as JSON lines, by table and by what was read. */
export async function goldenRows(): Promise<Record<string, Record<string, string[]>>> {
  return JSON.parse(await readFile(join(FOLDER, "expected.json"), "utf8")) as Record<string, Record<string, string[]>>;
}

/** A store that finds their files wherever the repository lies. `folder` holds a copy of them, or they themselves. */
export function goldenStore(folder = FOLDER): ObjectStore {
  const pathOf = (location: string): string => {
    const normal = normaliseLocation(location);
    if (normal.startsWith(`${ROOT}/`)) return join(folder, normal.slice(ROOT.length));
    throw new LakeError("invalid", `location ${JSON.stringify(location)} is outside of ${ROOT}`, {
      context: { location },
    });
  };
  const read = async (location: string): Promise<Buffer> => {
    const path = pathOf(location);
    return readFile(path).catch((cause: unknown) => {
      throw new LakeError("not_found", `${location} is not there`, { cause, context: { location } });
    });
  };
  const readOnly = memoryStore();
  return {
    root: ROOT,
    get: read,
    getRange: async (location, offset, length) => (await read(location)).subarray(offset, offset + length),
    localPath: async (location) => pathOf(location),
    stat: async (location) => ({ sizeBytes: (await read(location)).length, modifiedMs: 0 }),
    put: (...args) => readOnly.put(...args),
    list: (prefix) => readOnly.list(prefix),
    delete: (location) => readOnly.delete(location),
    adopt: (...args) => readOnly.adopt(...args),
    adoptAll: (moves) => readOnly.adoptAll(moves),
  };
}

export function goldenEnvironment(store: ObjectStore = goldenStore()): LakeEnvironment {
  return lakeEnvironment({ catalog: new MemoryCatalog({ warehouse: store.root }), store });
}

/** A table by its newest metadata file. */
export async function goldenTable(name: string, folder = FOLDER): Promise<Table> {
  const metadataFolder = join(folder, "db", name, "metadata");
  const file = readdirSync(metadataFolder).find((entry) => entry.endsWith(".metadata.json"))!;
  const metadataLocation = `file:/golden/db/${name}/metadata/${file}`;
  const metadata = await readMetadata(await readFile(join(metadataFolder, file)), metadataLocation);
  return { identifier: { namespace: ["db"], name }, metadata, metadataLocation };
}
