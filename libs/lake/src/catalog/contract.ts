import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LakeError } from "../lake-error.ts";
import type { Snapshot } from "../metadata/snapshot.ts";
import { currentSchema, currentSnapshot, defaultSortOrder, defaultSpec } from "../metadata/table-metadata.ts";
import type { TableUpdate } from "../metadata/updates.ts";
import type { Catalog, LoadedTable, TableCommit } from "./catalog.ts";
import { evolutionRules } from "./contract-evolution.ts";
import {
  EVENTS,
  FIRST_ID,
  NAMESPACE,
  OTHER,
  SECOND_ID,
  appendOf,
  commitOf,
  expectFailure,
  request,
} from "./contract-fixture.ts";

export interface OpenedCatalog {
  readonly catalog: Catalog;
  close(): Promise<void>;
}

/** What every catalog promises. Run it against each adapter, each time with an empty catalog. */
export function catalogContract(adapter: string, open: () => Promise<OpenedCatalog>): void {
  describe(`catalog contract: ${adapter}`, () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;
    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.close());

    describe("namespaces", () => namespaceRules(() => catalog));
    describe("tables", () => tableRules(() => catalog));
    describe("commits", () => commitRules(() => catalog));
    describe("evolution", () => evolutionRules(() => catalog));
  });
}

function namespaceRules(catalog: () => Catalog): void {
  it("creates, lists and drops namespaces, nested ones too", async () => {
    await catalog().createNamespace(NAMESPACE, { comment: "größer & more/less" });
    await catalog().createNamespace(["lake", "inner level"]);
    expect(await catalog().listNamespaces()).toEqual([["lake"]]);
    expect(await catalog().listNamespaces(["lake"])).toEqual([["lake", "inner level"]]);
    expect(await catalog().namespaceExists(["lake", "inner level"])).toBe(true);
    expect(await catalog().namespaceExists(["lake", "outer"])).toBe(false);
    expect(await catalog().loadNamespace(NAMESPACE)).toMatchObject({ comment: "größer & more/less" });
    await expectFailure(catalog().dropNamespace(NAMESPACE), "conflict", "is not empty");
    await catalog().dropNamespace(["lake", "inner level"]);
    await catalog().dropNamespace(NAMESPACE);
    expect(await catalog().namespaceExists(NAMESPACE)).toBe(false);
  });

  it("names the namespace that is missing or there already", async () => {
    await catalog().createNamespace(NAMESPACE);
    await expectFailure(catalog().createNamespace(NAMESPACE), "already_exists", "Namespace already exists: lake");
    await expectFailure(catalog().loadNamespace(["none"]), "not_found", "Namespace does not exist: none");
    await expectFailure(catalog().dropNamespace(["none"]), "not_found", "Namespace does not exist: none");
    await expectFailure(catalog().listTables(["none"]), "not_found", "Namespace does not exist: none");
    await expectFailure(catalog().listNamespaces(["none"]), "not_found", "Namespace does not exist: none");
  });

  it("changes namespace properties and says which were missing", async () => {
    await catalog().createNamespace(NAMESPACE, { a: "1", b: "2" });
    const changed = await catalog().updateNamespaceProperties(NAMESPACE, { updates: { c: "3" }, removals: ["a", "x"] });
    expect(changed).toEqual({ updated: ["c"], removed: ["a"], missing: ["x"] });
    expect(await catalog().loadNamespace(NAMESPACE)).toEqual({ b: "2", c: "3" });
    const both = catalog().updateNamespaceProperties(NAMESPACE, { updates: { b: "9" }, removals: ["b"] });
    await expectFailure(both, "invalid", "simultaneously set and remove");
  });
}

function tableRules(catalog: () => Catalog): void {
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

function commitRules(catalog: () => Catalog): void {
  let created: LoadedTable;
  beforeEach(async () => {
    await catalog().createNamespace(NAMESPACE);
    created = await catalog().createTable(EVENTS, request);
  });

  it("keeps 64-bit snapshot ids whole, and the logs right", async () => {
    const first = await catalog().commitTable(EVENTS, commitOf(created, FIRST_ID));
    const second = await catalog().commitTable(EVENTS, commitOf(first, SECOND_ID));
    const { metadata } = await catalog().loadTable(EVENTS);
    expect(metadata).toEqual(second.metadata);
    expect(metadata["current-snapshot-id"]).toBe(SECOND_ID);
    expect(currentSnapshot(metadata)?.["parent-snapshot-id"]).toBe(FIRST_ID);
    expect(metadata["snapshot-log"].map((entry) => entry["snapshot-id"])).toEqual([FIRST_ID, SECOND_ID]);
    expect(metadata["metadata-log"].map((entry) => entry["metadata-file"])).toEqual([
      created.metadataLocation,
      first.metadataLocation,
    ]);
    expect(metadata["last-sequence-number"]).toBe(2);
    expect(metadata["last-updated-ms"]).toBe(currentSnapshot(metadata)?.["timestamp-ms"]);
  });

  it("refuses a commit whose parent is no longer the newest, and applies nothing of it", async () => {
    const stale = commitOf(created, SECOND_ID);
    await catalog().commitTable(EVENTS, commitOf(created, FIRST_ID));
    const withProperties: TableCommit = {
      ...stale,
      updates: [...stale.updates, { action: "set-properties", updates: { moved: "yes" } }],
    };
    const refused = catalog().commitTable(EVENTS, withProperties);
    await expectFailure(refused, "conflict", "Requirement failed: branch main");
    const { metadata } = await catalog().loadTable(EVENTS);
    expect(metadata.snapshots).toHaveLength(1);
    expect(metadata.properties).not.toHaveProperty("moved");
  });

  it("lets exactly one of many commits on the same parent win", async () => {
    const ids = Array.from({ length: 8 }, (_, index) => FIRST_ID - BigInt(index));
    const ends = await Promise.allSettled(ids.map((id) => catalog().commitTable(EVENTS, commitOf(created, id))));
    expect(ends.filter((end) => end.status === "fulfilled")).toHaveLength(1);
    for (const end of ends) if (end.status === "rejected") expect((end.reason as LakeError).kind).toBe("conflict");
    expect((await catalog().loadTable(EVENTS)).metadata.snapshots).toHaveLength(1);
  });

  it("lets commits side by side all land when they assert nothing that the others change", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `p${index}`);
    const commit = (name: string): TableCommit => ({
      requirements: [{ type: "assert-table-uuid", uuid: created.metadata["table-uuid"] }],
      updates: [{ action: "set-properties", updates: { [name]: "1" } }],
    });
    await Promise.all(names.map((name) => catalog().commitTable(EVENTS, commit(name))));
    expect(Object.keys((await catalog().loadTable(EVENTS)).metadata.properties)).toEqual(expect.arrayContaining(names));
  });

  it("applies several snapshots of one commit as one change", async () => {
    const updates = appendOf(created, FIRST_ID);
    const second: Snapshot = {
      "snapshot-id": SECOND_ID,
      "parent-snapshot-id": FIRST_ID,
      "sequence-number": 2,
      "timestamp-ms": created.metadata["last-updated-ms"] + 2,
      "manifest-list": `${created.metadata.location}/metadata/snap-2.avro`,
      summary: { operation: "overwrite" },
    };
    const { metadata } = await catalog().commitTable(EVENTS, {
      requirements: [{ type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": null }],
      updates: [
        updates[0] as TableUpdate,
        { action: "add-snapshot", snapshot: second },
        { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": SECOND_ID },
      ],
    });
    expect(metadata.snapshots).toHaveLength(2);
    expect(metadata["snapshot-log"].map((entry) => entry["snapshot-id"])).toEqual([SECOND_ID]);
  });

  it("refuses updates that make no sense, naming the rule", async () => {
    const unknown: TableUpdate = {
      action: "set-snapshot-ref",
      "ref-name": "main",
      type: "branch",
      "snapshot-id": SECOND_ID,
    };
    await expectFailure(
      catalog().commitTable(EVENTS, { requirements: [], updates: [unknown] }),
      "invalid",
      "unknown snapshot",
    );
    const other = {
      requirements: [{ type: "assert-table-uuid" as const, uuid: "00000000-0000-4000-8000-000000000000" }],
      updates: [],
    };
    await expectFailure(catalog().commitTable(EVENTS, other), "conflict", "Requirement failed: UUID does not match");
    await expectFailure(
      catalog().commitTable(OTHER, commitOf(created, FIRST_ID)),
      "not_found",
      "Table does not exist: lake.other",
    );
  });

  it("commits several tables or none", async () => {
    const other = await catalog().createTable(OTHER, request);
    const good = { identifier: EVENTS, ...commitOf(created, FIRST_ID) };
    const stale = { identifier: OTHER, requirements: [{ type: "assert-create" as const }], updates: [] };
    await expectFailure(
      catalog().commitTransaction([good, stale]),
      "conflict",
      "Requirement failed: table already exists",
    );
    expect((await catalog().loadTable(EVENTS)).metadata.snapshots).toHaveLength(0);
    await catalog().commitTransaction([good, { identifier: OTHER, ...commitOf(other, SECOND_ID) }]);
    expect((await catalog().loadTable(EVENTS)).metadata.snapshots).toHaveLength(1);
    expect((await catalog().loadTable(OTHER)).metadata.snapshots).toHaveLength(1);
  });
}
