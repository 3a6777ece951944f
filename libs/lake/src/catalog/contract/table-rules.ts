import { beforeEach, expect, it } from "vitest";
import { currentSchema, currentSnapshot, defaultSortOrder, defaultSpec } from "../../metadata/table-metadata.ts";
import type { Catalog } from "../catalog.ts";
import { EVENTS, FIRST_ID, NAMESPACE, OTHER, SECOND_ID, commitOf, expectFailure, request } from "./contract-fixture.ts";

/** Making, loading, renaming and dropping tables. */
export function tableRules(catalog: () => Catalog): void {
  beforeEach(() => catalog().createNamespace(NAMESPACE));

  it("creates a table with ids of its own, and loads the same", async () => {
    const created = await catalog().createTable(EVENTS, request);
    const loaded = await catalog().loadTable(EVENTS);
    expect(loaded.metadata).toEqual(created.metadata);
    expect(loaded.metadataLocation).toBe(created.metadataLocation);
    const { metadata } = loaded;
    expect(currentSchema(metadata).fields.map((field) => [field.id, field.name, field.required])).toEqual([
      [1, "id", true],
      [2, "at", true],
      [3, "tags", false],
      [4, "kind", false],
    ]);
    expect(currentSchema(metadata).fields[2]?.type).toMatchObject({ "key-id": 5, "value-id": 6 });
    expect(currentSchema(metadata)["identifier-field-ids"]).toEqual([1]);
    expect(defaultSpec(metadata).fields).toEqual([
      { "source-id": 2, "field-id": 1000, name: "at_day", transform: "day" },
    ]);
    expect(defaultSortOrder(metadata).fields).toMatchObject([{ "source-id": 1, direction: "asc" }]);
    expect(metadata).toMatchObject({ "format-version": 2, "last-column-id": 6, "last-partition-id": 1000 });
    expect(metadata.properties).toMatchObject({ owner: "tests" });
    expect(currentSnapshot(metadata)).toBeUndefined();
  });

  it("lists, renames and drops tables", async () => {
    await catalog().createTable(EVENTS, request);
    const renamed = { namespace: NAMESPACE, name: "events two" };
    await catalog().renameTable(EVENTS, renamed);
    expect(await catalog().listTables(NAMESPACE)).toEqual([renamed]);
    expect(await catalog().tableExists(EVENTS)).toBe(false);
    expect(await catalog().tableExists(renamed)).toBe(true);
    await expectFailure(catalog().dropNamespace(NAMESPACE), "conflict", "is not empty");
    await catalog().dropTable(renamed);
    expect(await catalog().listTables(NAMESPACE)).toEqual([]);
  });

  it("gives a new table under a renamed table's old name a place of its own", async () => {
    const first = await catalog().createTable(EVENTS, request);
    await catalog().renameTable(EVENTS, OTHER);
    const second = await catalog().createTable(EVENTS, request);
    expect(second.metadata.location).not.toBe(first.metadata.location);
  });

  it("names the table that is missing or there already", async () => {
    await catalog().createTable(EVENTS, request);
    await expectFailure(catalog().createTable(EVENTS, request), "already_exists", "Table already exists: lake.events");
    await expectFailure(catalog().loadTable(OTHER), "not_found", "Table does not exist: lake.other");
    await expectFailure(catalog().dropTable(OTHER), "not_found", "Table does not exist: lake.other");
    await expectFailure(catalog().renameTable(OTHER, EVENTS), "not_found", "Table does not exist: lake.other");
    const nowhere = { namespace: ["none"], name: "t" };
    await expectFailure(catalog().createTable(nowhere, request), "not_found", "Namespace does not exist: none");
    await expectFailure(catalog().renameTable(EVENTS, nowhere), "not_found", "Namespace does not exist: none");
  });

  it("refuses a broken request and keeps nothing of it", async () => {
    const twice = {
      ...request,
      schema: { ...request.schema, fields: request.schema.fields.map((f) => ({ ...f, id: 1 })) },
    };
    await expectFailure(catalog().createTable(EVENTS, twice), "invalid", "multiple fields for id 1");
    expect(await catalog().tableExists(EVENTS)).toBe(false);
  });

  it("answers unchanged while the known table is the newest", async () => {
    const created = await catalog().createTable(EVENTS, request);
    const { etag } = await catalog().loadTable(EVENTS);
    if (etag === undefined) return;
    expect(await catalog().loadTable(EVENTS, { ifNoneMatch: etag })).toBe("unchanged");
    await catalog().commitTable(EVENTS, commitOf(created, FIRST_ID));
    expect(await catalog().loadTable(EVENTS, { ifNoneMatch: etag })).not.toBe("unchanged");
  });

  it("loads only referenced snapshots when asked, and never mixes the two answers up", async () => {
    const first = await catalog().commitTable(EVENTS, commitOf(await catalog().createTable(EVENTS, request), FIRST_ID));
    await catalog().commitTable(EVENTS, commitOf(first, SECOND_ID));
    const refs = await catalog().loadTable(EVENTS, { snapshots: "refs" });
    if (refs === "unchanged") throw new Error("nothing was known");
    expect(refs.metadata.snapshots.map((snapshot) => snapshot["snapshot-id"])).toEqual([SECOND_ID]);
    const all = await catalog().loadTable(EVENTS, refs.etag === undefined ? {} : { ifNoneMatch: refs.etag });
    if (all === "unchanged") throw new Error("the tag of one answer matched the other");
    expect(all.metadata.snapshots).toHaveLength(2);
  });
}
