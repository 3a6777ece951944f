import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { createTableRequest, isLakeError, type LakeEnvironment, type ObjectStore } from "@firn/lake";

import { check, Finding, type Check } from "./check.ts";

const PROBE = new TextEncoder().encode("firn doctor probe");

const PROBE_TABLE = createTableRequest({
  columns: [{ name: "probe", type: "long", required: false }],
  identity: [],
  partition: [],
  sort: [],
  properties: {},
});

/** Reach, rights and the place of the catalog, by making a namespace with a table and removing both. */
export async function checkCatalog({ catalog, store }: LakeEnvironment): Promise<readonly Check[]> {
  const reach = await check("catalog", "Start the catalog, or correct ICEBERG_CATALOG_URI and its keys", async () => {
    await catalog.config();
    return "answers";
  });
  if (!reach.ok) return [reach];
  const namespace = [`firn_doctor_${randomUUID().replaceAll("-", "")}`];
  const table = { namespace, name: "probe" };
  const fix =
    "Give the token the scope catalog, and the catalog's user the right to write its database and the warehouse folder";
  const write = await check("catalog-write", fix, async () => {
    let location: string | undefined;
    const cleanUp = async (): Promise<void> => {
      await unlessMissing(catalog.dropTable(table, { purge: true }));
      await unlessMissing(catalog.dropNamespace(namespace));
      if (location !== undefined) await removeEmptyFolders(location, namespace[0]!);
    };
    await withCleanUp(cleanUp, async () => {
      await step("a namespace cannot be made", catalog.createNamespace(namespace));
      const { metadata } = await step("a table cannot be made", catalog.createTable(table, PROBE_TABLE));
      location = metadata.location;
      if (location.startsWith(`${store.root}/`)) return;
      throw new Finding(
        `the catalog puts tables at ${location}, which is outside of the warehouse ${store.root}`,
        "Give ICEBERG_WAREHOUSE the same value for the catalog and for everybody else",
      );
    });
    return "made a namespace with a table and removed them";
  });
  return [reach, write];
}

/** What writers ask of the warehouse, with one small object that is removed again. */
export function checkStore({ store }: LakeEnvironment): Promise<Check> {
  const fix = "Correct ICEBERG_WAREHOUSE, S3_* and AWS_REGION; the keys need the rights to put, get and delete objects";
  return check("warehouse", fix, async () => {
    const location = `${store.root}/firn-doctor-${randomUUID()}`;
    await withCleanUp(
      () => step("delete failed", store.delete(location)),
      async () => {
        await step("put failed", store.put(location, PROBE, { ifAbsent: true }));
        await refusesSecondPut(store, location);
        const part = await step("range get failed", store.getRange(location, 5, 6));
        if (new TextDecoder().decode(part) !== "doctor") throw new Finding("range get answers other bytes");
      },
    );
    if ((await store.stat(location)) !== undefined) throw new Finding("delete leaves the object there");
    return `${store.root}: put, conditional put, range get and delete work`;
  });
}

async function refusesSecondPut(store: ObjectStore, location: string): Promise<void> {
  const fix = "Use a store that knows conditional writes (If-None-Match)";
  try {
    await store.put(location, PROBE, { ifAbsent: true });
  } catch (error) {
    if (isLakeError(error, "already_exists")) return;
    throw new Finding(`conditional put failed: ${(error as Error).message}`, fix);
  }
  throw new Finding("conditional put failed: the object was written a second time", fix);
}

/** What went wrong first is what is told: after a failure the clean-up is tried only. */
async function withCleanUp(cleanUp: () => Promise<void>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await cleanUp().catch(() => undefined);
    throw error;
  }
  await cleanUp();
}

async function step<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Finding(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A purge leaves the folders of a warehouse on this machine; those of the probe have a name of their own. */
async function removeEmptyFolders(location: string, namespace: string): Promise<void> {
  const folder = dirname(location);
  if (!folder.startsWith("file:") || basename(folder) !== namespace) return;
  await rm(fileURLToPath(folder), { recursive: true, force: true });
}

async function unlessMissing(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isLakeError(error, "not_found")) throw error;
  });
}
