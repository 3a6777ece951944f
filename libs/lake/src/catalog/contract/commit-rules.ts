import { beforeEach, expect, it } from "vitest";
import type { LakeError } from "../../lake-error.ts";
import type { Snapshot } from "../../metadata/snapshot.ts";
import { currentSnapshot } from "../../metadata/table-metadata.ts";
import type { TableUpdate } from "../../metadata/updates.ts";
import type { Catalog, LoadedTable, TableCommit } from "../catalog.ts";
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

/** Commits: requirements, snapshots, and what is refused. */
export function commitRules(catalog: () => Catalog): void {
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
