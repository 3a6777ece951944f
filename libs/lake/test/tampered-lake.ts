import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readMetadata } from "../src/metadata/metadata-file.ts";
import { openKernel, type KernelConnection } from "../src/kernel/duck.ts";
import { planScan } from "../src/scan/plan-scan.ts";
import { scanRows } from "../src/scan/scan-rows.ts";
import { normaliseLocation } from "../src/store/location.ts";
import type { ObjectStore } from "../src/store/object-store.ts";
import { goldenEnvironment, goldenStore, goldenTable } from "./golden-lake.ts";

/** Reads a table of Spark's with some of its files exchanged for others. */
export interface TamperedLake {
  /** The file's bytes as they are; metadata unpacked. */
  original(location: string): Promise<Buffer>;
  /** All rows as sorted JSON, after `changed` took the place of what lies at its locations. */
  read(table: string, changed: ReadonlyMap<string, Uint8Array>): Promise<string[]>;
  close(): Promise<void>;
}

export async function openTamperedLake(store: ObjectStore = goldenStore()): Promise<TamperedLake> {
  const folder = await mkdtemp(join(tmpdir(), "firn-tampered-"));
  const kernel = await openKernel({ memoryLimitMb: 512, threads: 1, tempDir: folder });
  const connection = await kernel.connect();
  let copies = 0;
  return {
    async original(location) {
      const bytes = Buffer.from(await store.get(location));
      return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
    },
    async read(name, changed) {
      const { identifier, metadataLocation } = await goldenTable(name);
      const bytes = changed.get(metadataLocation) ?? (await store.get(metadataLocation));
      const metadata = await readMetadata(bytes, metadataLocation);
      const exchanged = overlay(store, changed, () => join(folder, `copy-${copies++}`));
      const table = { identifier, metadata, metadataLocation };
      return readRows(connection, exchanged, await planScan({ env: goldenEnvironment(exchanged), table }));
    },
    async close() {
      connection.close();
      kernel.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function readRows(
  connection: KernelConnection,
  store: ObjectStore,
  plan: Awaited<ReturnType<typeof planScan>>,
): Promise<string[]> {
  const rows: string[] = [];
  const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);
  for await (const row of scanRows(connection, plan, { store })) rows.push(JSON.stringify(row, plain));
  return rows.sort();
}

function overlay(store: ObjectStore, changed: ReadonlyMap<string, Uint8Array>, newPath: () => string): ObjectStore {
  const normal = new Map([...changed].map(([location, bytes]) => [normaliseLocation(location), bytes]));
  return {
    ...store,
    get: async (location) => normal.get(normaliseLocation(location)) ?? store.get(location),
    localPath: async (location) => {
      const bytes = normal.get(normaliseLocation(location));
      if (bytes === undefined) return store.localPath(location);
      const path = newPath();
      await writeFile(path, bytes);
      return path;
    },
  };
}
