import { describe, expect, it } from "vitest";
import { faultyCatalog, type Fault } from "../../test/faulty-catalog.ts";
import { commitChanges, dataFile, deleteFile, emptyTable, FIXTURE } from "../../test/table-fixture.ts";
import { MemoryCatalog } from "../catalog/memory-catalog.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import type { LakeEnvironment } from "./environment.ts";
import { expireSnapshots } from "./expire.ts";
import { planExpiry } from "./plan-expiry.ts";
import { loadTable, type Table } from "./table.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Snapshots 1n, 2n, … at the given times. */
function history(timesMs: readonly number[], base: TableMetadata): TableMetadata {
  return {
    ...base,
    snapshots: timesMs.map((time, n) => ({
      "snapshot-id": BigInt(n + 1),
      ...(n === 0 ? {} : { "parent-snapshot-id": BigInt(n) }),
      "sequence-number": n + 1,
      "timestamp-ms": time,
      "manifest-list": `memory://warehouse/${n}`,
    })),
    "current-snapshot-id": BigInt(timesMs.length),
    refs: { main: { type: "branch", "snapshot-id": BigInt(timesMs.length) } },
  };
}

describe("planning expiry", async () => {
  const base = (await emptyTable()).table.metadata;
  const NOW = 100 * DAY + 30 * MINUTE;

  it("keeps all of ten minutes, the last of each hour for 30 days, and nothing older", () => {
    const times = [
      NOW - 40 * DAY, // 1: too old
      NOW - 29 * DAY, // 2: hourly
      NOW - 2 * HOUR - 2, // 3: same hour as 4
      NOW - 2 * HOUR - 1, // 4: last of its hour
      NOW - 15 * MINUTE, // 5: same hour as 7
      NOW - 9 * MINUTE, // 6: young
      NOW - 1, // 7
    ];
    expect(planExpiry(history(times, base), NOW)).toEqual([1n, 3n, 5n]);
  });

  it("never expires what a branch or tag points at, what is asked for, or the current one", () => {
    const metadata = history([1, 2, 3, 4, 5], base);
    const refs: TableMetadata["refs"] = {
      main: { type: "branch", "snapshot-id": 5n, "min-snapshots-to-keep": 2 },
      audit: { type: "tag", "snapshot-id": 2n },
    };
    expect(planExpiry({ ...metadata, refs }, NOW)).toEqual([1n, 3n]);
    expect(planExpiry({ ...metadata, refs }, NOW, { keep: [3n] })).toEqual([1n]);
  });

  it("keeps no more than the limit, hourly ones before the many young", () => {
    const hourly = Array.from({ length: 20 }, (_, n) => NOW - (30 - n) * HOUR);
    const young = Array.from({ length: 50 }, (_, n) => NOW - 5 * MINUTE + n);
    const expired = planExpiry(history([...hourly, ...young], base), NOW, { snapshotsMax: 30 });
    expect(expired).toHaveLength(40);
    expect(expired).toEqual(Array.from({ length: 40 }, (_, n) => BigInt(21 + n)));
  });

  it("does nothing where garbage collection is off", () => {
    const metadata = { ...history([1, 2], base), properties: { "gc.enabled": "false" } };
    expect(planExpiry(metadata, NOW)).toEqual([]);
  });
});

/** Every location in the store, made-up data files included. */
async function stored(env: LakeEnvironment): Promise<string[]> {
  const locations: string[] = [];
  for await (const object of env.store.list(env.store.root)) locations.push(object.location);
  return locations;
}

async function lake() {
  const catalog = faultyCatalog(new MemoryCatalog());
  const { env, table } = await emptyTable({ catalog });
  const put = async (...names: string[]) => {
    for (const name of names) await env.store.put(dataFile(name).filePath, Buffer.from(name));
  };
  await put("a", "b", "c", "d", "del");
  const [a, b, c, d] = [dataFile("a"), dataFile("b"), dataFile("c"), dataFile("d")];
  let now: Table = await commitChanges(env, table, [{ operation: "append", addedData: [a, b] }]);
  now = await commitChanges(env, now, [
    { operation: "overwrite", addedData: [c], addedDeletes: [deleteFile("del")], removedData: [a] },
  ]);
  now = await commitChanges(env, now, [
    { operation: "replace", addedData: [d], removedData: [b], removedDeletes: [deleteFile("del")] },
  ]);
  const ids = now.metadata.snapshots.map((snapshot) => snapshot["snapshot-id"]);
  const dataNames = async () =>
    (await stored(env)).flatMap((location) => /\/data\/([^/]+)$/.exec(location)?.[1] ?? []).sort();
  return { catalog, env, table: now, ids, dataNames };
}

describe("expiring snapshots", () => {
  it("deletes what only they led to", async () => {
    const { env, table, ids, dataNames } = await lake();
    const first = await expireSnapshots(env, table, [ids[0]!]);
    expect(first).toMatchObject({ kind: "expired", snapshots: 1, filesDeleted: { dataFiles: 1, lists: 1 } });
    expect(await dataNames()).toEqual(["b", "c", "d", "del"]);
    const second = await expireSnapshots(env, first.table, [ids[1]!]);
    expect(await dataNames()).toEqual(["c", "d"]);
    expect(second.table.metadata.snapshots.map((snapshot) => snapshot["snapshot-id"])).toEqual([ids[2]]);
    // What is left in the store is exactly what the table needs.
    const metadataFiles = (await stored(env)).filter((location) => location.includes("/metadata/"));
    const list = second.table.metadata.snapshots[0]!["manifest-list"]!;
    const { readManifestList } = await import("../manifest/manifest-io.ts");
    const manifests = await readManifestList(env, list);
    expect(metadataFiles.sort()).toEqual([list, ...manifests.map((manifest) => manifest.manifestPath)].sort());
  });

  it("keeps files that a tag still leads to", async () => {
    const { env, table, ids, dataNames } = await lake();
    const { metadata } = await env.catalog.commitTable(FIXTURE, {
      requirements: [],
      updates: [{ action: "set-snapshot-ref", "ref-name": "keep", type: "tag", "snapshot-id": ids[0]! }],
    });
    await expireSnapshots(env, { ...table, metadata }, [ids[1]!]);
    expect(await dataNames()).toEqual(["a", "b", "c", "d"]);
  });

  it("keeps files that came back after a rollback", async () => {
    const { env, table, ids, dataNames } = await lake();
    await env.catalog.commitTable(FIXTURE, {
      requirements: [],
      updates: [{ action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": ids[0]! }],
    });
    const back = await loadTable(env, FIXTURE);
    const after = await commitChanges(env, back, [{ operation: "append", addedData: [dataFile("d")] }]);
    await expireSnapshots(env, after, [ids[1]!]);
    expect(await dataNames()).toEqual(["a", "b", "c", "d"]);
    await expireSnapshots(env, await loadTable(env, FIXTURE), [ids[2]!]);
    expect(await dataNames()).toEqual(["a", "b", "d"]);
    expect(table.metadata.snapshots).toHaveLength(3);
  });

  it.each<[string, Fault[]]>([
    ["never arrived", ["fail-before"]],
    ["was lost", ["lost"]],
    ["arrived and its answer was lost", ["fail-after"]],
  ])("goes on when the removal %s", async (_name, commits) => {
    const { catalog, env, table, ids, dataNames } = await lake();
    catalog.script({ commits });
    expect(await expireSnapshots(env, table, [ids[0]!])).toMatchObject({ kind: "expired" });
    expect(await dataNames()).toEqual(["b", "c", "d", "del"]);
  });

  it("deletes nothing after a conflict, or while the outcome is unknown", async () => {
    const { catalog, env, table, ids, dataNames } = await lake();
    catalog.script({ commits: ["fail-after"], loads: ["fail-before"] });
    await expect(expireSnapshots(env, table, [ids[0]!])).rejects.toMatchObject({ kind: "unavailable" });
    expect(await dataNames()).toEqual(["a", "b", "c", "d", "del"]);
    catalog.script({});
    const now = await loadTable(env, FIXTURE);
    await commitChanges(env, now, [{ operation: "append", addedData: [dataFile("e")] }]);
    expect(await expireSnapshots(env, now, [ids[1]!])).toMatchObject({ kind: "conflict" });
    expect(await dataNames()).toEqual(["a", "b", "c", "d", "del"]);
  });
});
