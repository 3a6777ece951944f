import { beforeEach, expect, it } from "vitest";
import { currentSchema, defaultSortOrder, defaultSpec } from "../../metadata/table-metadata.ts";
import type { TableUpdate } from "../../metadata/updates.ts";
import type { Catalog, LoadedTable } from "../catalog.ts";
import { EVENTS, FIRST_ID, NAMESPACE, SECOND_ID, commitOf, request } from "./contract-fixture.ts";

/** The part of the catalog contract that changes what a table is, rather than what it holds. */
export function evolutionRules(catalog: () => Catalog): void {
  let created: LoadedTable;
  beforeEach(async () => {
    await catalog().createNamespace(NAMESPACE);
    created = await catalog().createTable(EVENTS, request);
  });

  const change = (updates: readonly TableUpdate[]): Promise<LoadedTable> =>
    catalog().commitTable(EVENTS, { requirements: [], updates });

  it("adds a column, and finds the same schema again", async () => {
    const schema = currentSchema(created.metadata);
    const wider = {
      ...schema,
      fields: [...schema.fields, { id: 7, name: "extra", required: false, type: "double" as const }],
    };
    const add: TableUpdate[] = [
      { action: "add-schema", schema: wider, "last-column-id": 7 },
      { action: "set-current-schema", "schema-id": -1 },
    ];
    const { metadata } = await change(add);
    expect(currentSchema(metadata)["schema-id"]).toBe(1);
    expect(currentSchema(metadata).fields).toHaveLength(5);
    expect(metadata["last-column-id"]).toBe(7);
    const again = await change(add);
    expect(again.metadata.schemas).toHaveLength(2);
    expect(again.metadata["current-schema-id"]).toBe(1);
  });

  it("adds a partition spec and a sort order, and takes them as default", async () => {
    const { metadata } = await change([
      { action: "add-spec", spec: { fields: [{ "source-id": 2, name: "at_month", transform: "month" }] } },
      { action: "set-default-spec", "spec-id": -1 },
      {
        action: "add-sort-order",
        "sort-order": {
          "order-id": 9,
          fields: [{ "source-id": 2, transform: "identity", direction: "desc", "null-order": "nulls-last" }],
        },
      },
      { action: "set-default-sort-order", "sort-order-id": -1 },
    ]);
    expect(defaultSpec(metadata)).toEqual({
      "spec-id": 1,
      fields: [{ "source-id": 2, "field-id": 1001, name: "at_month", transform: "month" }],
    });
    expect(metadata["last-partition-id"]).toBe(1001);
    expect(defaultSortOrder(metadata).fields).toMatchObject([{ "source-id": 2, direction: "desc" }]);
  });

  it("keeps branches and tags, and removes snapshots that nothing names", async () => {
    const first = await catalog().commitTable(EVENTS, commitOf(created, FIRST_ID));
    await catalog().commitTable(EVENTS, commitOf(first, SECOND_ID));
    const tagged = await change([
      { action: "set-snapshot-ref", "ref-name": "audit", type: "tag", "snapshot-id": FIRST_ID, "max-ref-age-ms": 1000 },
    ]);
    expect(tagged.metadata.refs["audit"]).toEqual({ type: "tag", "snapshot-id": FIRST_ID, "max-ref-age-ms": 1000 });
    const { metadata } = await change([
      { action: "remove-snapshot-ref", "ref-name": "audit" },
      { action: "remove-snapshots", "snapshot-ids": [FIRST_ID] },
    ]);
    expect(metadata.snapshots.map((snapshot) => snapshot["snapshot-id"])).toEqual([SECOND_ID]);
    expect(metadata["snapshot-log"].map((entry) => entry["snapshot-id"])).toEqual([SECOND_ID]);
    expect(Object.keys(metadata.refs)).toEqual(["main"]);
  });

  it("sets and removes properties", async () => {
    const { metadata } = await change([
      { action: "set-properties", updates: { a: "1", b: "2" } },
      { action: "remove-properties", removals: ["a", "owner"] },
    ]);
    expect(metadata.properties).toMatchObject({ b: "2" });
    expect(metadata.properties).not.toHaveProperty("a");
    expect(metadata.properties).not.toHaveProperty("owner");
  });
}
