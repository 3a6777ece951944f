import { pipelineIdProperty, tableKey, tablesOf } from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import { definedIdentifier, lakeEnvironment, LakeError, MemoryCatalog, memoryStore } from "@firn/lake";
import { type AttemptStore, MemoryLogs } from "@firn/stream";
import { beforeEach, describe, expect, it } from "vitest";
import { KnownTables } from "./known-tables.ts";

const dataset = createHealthDataset();
const raw = definedIdentifier(dataset.raw);

let catalog: MemoryCatalog;
let logs: MemoryLogs;
let store: AttemptStore;
let known: KnownTables;
/** As another process has it, with what the store holds. */
const open = () => new KnownTables(lakeEnvironment({ catalog, store: memoryStore() }), store);

beforeEach(async () => {
  catalog = new MemoryCatalog();
  logs = new MemoryLogs();
  store = await logs.attempts("firn");
  known = open();
});

describe("known tables", () => {
  it("makes every table once, with one pipeline id", async () => {
    const names = tablesOf(dataset).map(({ namespace, name }) => `${namespace}.${name}`);
    expect(await known.makeFirst(dataset)).toEqual(names);
    expect(await open().makeFirst(dataset)).toEqual([]);
    const ids = await Promise.all(
      tablesOf(dataset).map(async (definition) => {
        const { metadata } = await catalog.loadTable(definedIdentifier(definition));
        return metadata.properties[pipelineIdProperty];
      }),
    );
    expect(new Set(ids).size).toBe(1);
    expect((await known.state(dataset.raw)).kind).toBe("known");
  });

  it("asks again where the answer to making a table was lost, and finds what it made", async () => {
    const create = catalog.createTable.bind(catalog);
    let lost = 1;
    catalog.createTable = async (...made) => {
      const loaded = await create(...made);
      if (lost-- > 0) throw new LakeError("unknown_outcome", "the answer was lost");
      return loaded;
    };
    await expect(known.makeFirst(dataset)).rejects.toMatchObject({ kind: "unavailable", retryable: true });
    await known.makeFirst(dataset);
    for (const definition of tablesOf(dataset)) expect((await known.state(definition)).kind).toBe("known");
  });

  it("does not make one anew that is gone, and does not take another one for it", async () => {
    await known.makeFirst(dataset);
    await catalog.dropTable(raw);
    for (const one of [known, open()]) {
      expect(await one.makeFirst(dataset)).toEqual([]);
      expect(await one.state(dataset.raw)).toEqual({ kind: "missing" });
    }
    await catalog.createTable(raw, { schema: { type: "struct", fields: [] } });
    expect((await open().state(dataset.raw)).kind).toBe("other");
    const table = await known.findOrMake(dataset.raw);
    await known.remember(dataset.raw, table);
    expect((await open().state(dataset.raw)).kind).toBe("known");
  });

  it("takes what is there where nothing is remembered, and remembers while the store forgets", async () => {
    await known.makeFirst(dataset);
    store = await logs.attempts("another bucket");
    const later = open();
    expect(await later.makeFirst(dataset)).toEqual([]);
    await store.delete(tableKey(dataset.raw.namespace, dataset.raw.name));
    expect((await later.state(dataset.raw)).kind).toBe("known");
    await catalog.dropTable(raw);
    expect(await open().makeFirst(dataset)).toEqual([]);
  });
});
