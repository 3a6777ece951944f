import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RestCatalog, createTableRequest, type LakeError, type TableCommit } from "@firn/lake";
import { callCatalog } from "./http-call.ts";
import { STORAGES, startCatalog, type RunningCatalog, type Storage } from "./running-catalog.ts";

const TABLE = { namespace: ["ns"], name: "contested" };
const ROUNDS = 8;
const COMMITTERS = 12;

const request = createTableRequest({
  columns: [{ name: "id", type: "long", required: true }],
  identity: [],
  partition: [],
  sort: [],
  properties: {},
});

/** A commit on `parent`, with the snapshot `id`. */
function snapshotCommit(location: string, parent: bigint | undefined, id: bigint, round: number): TableCommit {
  const snapshot = {
    "snapshot-id": id,
    ...(parent === undefined ? {} : { "parent-snapshot-id": parent }),
    "sequence-number": round + 1,
    "timestamp-ms": Date.now(),
    "manifest-list": `${location}/metadata/snap-${id}.avro`,
    summary: { operation: "append" as const },
    "schema-id": 0,
  };
  return {
    requirements: [{ type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": parent ?? null }],
    updates: [
      { action: "add-snapshot", snapshot },
      { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": id },
    ],
  };
}

describe.each(STORAGES)("committers at the same time, two processes' worth of catalogs on %s", (_, open) => {
  let storage: Storage;
  let first: RunningCatalog;
  let second: RunningCatalog;
  beforeAll(async () => {
    storage = await open();
    const environment = storage.environment();
    first = await startCatalog(environment);
    second = await startCatalog({
      FIRN_CATALOG_DB: `${first.folder}/catalog.db`,
      ...environment,
      ICEBERG_WAREHOUSE: first.warehouse,
    });
    await new RestCatalog({ uri: first.url }).createNamespace(["ns"]);
  });
  afterAll(async () => {
    await second?.close();
    await first?.close();
    await storage?.close();
  });

  it("one of many wins each round, the others are told", async () => {
    const sides = [new RestCatalog({ uri: first.url }), new RestCatalog({ uri: second.url })] as const;
    const { metadata } = await sides[0].createTable(TABLE, request);
    const won: bigint[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const attempts = Array.from({ length: COMMITTERS }, async (_unused, n) => {
        const id = BigInt(1000 * (round + 1) + n);
        await sides[n % 2]!.commitTable(TABLE, snapshotCommit(metadata.location, won.at(-1), id, round));
        return id;
      });
      const ends = await Promise.allSettled(attempts);
      const winners = ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
      expect(winners).toHaveLength(1);
      for (const end of ends) if (end.status === "rejected") expect((end.reason as LakeError).kind).toBe("conflict");
      won.push(...winners);
    }
    const after = (await sides[1].loadTable(TABLE)).metadata;
    expect(after.snapshots.map((snapshot) => snapshot["snapshot-id"])).toEqual(won);
    expect(after["metadata-log"]).toHaveLength(ROUNDS);
  });

  it("a table is made once, and a namespace is not dropped from under one", async () => {
    const sides = [new RestCatalog({ uri: first.url }), new RestCatalog({ uri: second.url })] as const;
    for (let round = 0; round < ROUNDS; round += 1) {
      const namespace = [`round${round}`];
      await sides[0].createNamespace(namespace);
      const makers = sides.map((side) => side.createTable({ namespace, name: "t" }, request));
      const [, , dropped] = await Promise.allSettled([...makers, sides[round % 2]!.dropNamespace(namespace)]);
      const made = (await Promise.allSettled(makers)).filter((end) => end.status === "fulfilled").length;
      expect(made).toBeLessThanOrEqual(1);
      expect(await sides[0].namespaceExists(namespace)).toBe(dropped?.status === "rejected");
      expect(made).toBe(dropped?.status === "rejected" ? 1 : 0);
    }
  });

  it("transactions over the same tables in any order neither wait for ever nor land in part", async () => {
    const sides = [new RestCatalog({ uri: first.url }), new RestCatalog({ uri: second.url })] as const;
    const tables = ["a", "b", "c"].map((name) => ({ namespace: ["ns"], name }));
    for (const identifier of tables) await sides[0].createTable(identifier, request);
    const commits = Array.from({ length: 16 }, (_unused, n) => {
      const order = n % 3 === 0 ? tables : [...tables].reverse();
      const update = { action: "set-properties" as const, updates: { [`p${n}`]: "1" } };
      const changes = order.map((identifier) => ({ identifier, requirements: [], updates: [update] }));
      return sides[n % 2]!.commitTransaction(changes).then(
        () => `p${n}`,
        () => undefined,
      );
    });
    const landed = (await Promise.all(commits)).filter((name) => name !== undefined).sort();
    expect(landed.length).toBeGreaterThan(0);
    for (const identifier of tables) {
      const { properties } = (await sides[1].loadTable(identifier)).metadata;
      const set = Object.keys(properties).filter((key) => /^p\d/.test(key));
      expect(set.sort()).toEqual(landed);
    }
  });

  it("answers 503 while the database is away, and goes on when it is back", async () => {
    if (storage.outage === undefined) return;
    const list = async (): Promise<number> => (await callCatalog(first.url, "GET", "/v1/namespaces")).status;
    const create = (): Promise<{ status: number }> =>
      callCatalog(first.url, "POST", "/v1/namespaces", { namespace: ["after"] });
    const outage = await storage.outage();
    expect(await list()).toBe(503);
    expect((await create()).status).toBe(503);
    await outage.end();
    expect(await list()).toBe(200);
    expect((await create()).status).toBe(200);
  });
});
