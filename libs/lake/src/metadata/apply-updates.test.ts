import { describe, expect, it } from "vitest";
import { applyUpdates } from "./apply-updates.ts";
import { planCommit } from "./commit-plan.ts";
import { newTableMetadata } from "./new-table.ts";
import { stringifyLakeJson, parseLakeJson } from "./json.ts";
import { tableCommitAt } from "./parse-commit.ts";
import { checkRequirements, type TableRequirement } from "./requirements.ts";
import type { Snapshot } from "./snapshot.ts";
import { createTableRequest, schemaFromColumns } from "./table-definition.ts";
import type { TableMetadata } from "./table-metadata.ts";
import type { TableUpdate } from "./updates.ts";

const NOW_MS = 1_700_000_000_000;

const table = newTableMetadata({
  ...createTableRequest({
    columns: [
      { name: "id", type: "long", required: true },
      { name: "day", type: "date", required: true },
      { name: "value", type: "double", required: false },
    ],
    identity: ["id"],
    partition: [{ source: "day", transform: "identity", name: "day" }],
    sort: [],
    properties: {},
  }),
  location: "file:///w/t",
  uuid: "6f9c4a70-7b0e-4d39-9c5a-5a6f0a4b8c11",
  nowMs: NOW_MS,
});

function snapshot(id: bigint, sequence: number, parent?: bigint): Snapshot {
  return {
    "snapshot-id": id,
    ...(parent === undefined ? {} : { "parent-snapshot-id": parent }),
    "sequence-number": sequence,
    "timestamp-ms": NOW_MS + sequence * 1000,
    "manifest-list": `file:///w/t/metadata/snap-${id}.avro`,
    summary: { operation: "append" },
  };
}

const add = (added: Snapshot): TableUpdate => ({ action: "add-snapshot", snapshot: added });
const main = (id: bigint): TableUpdate => ({
  action: "set-snapshot-ref",
  "ref-name": "main",
  type: "branch",
  "snapshot-id": id,
});

/** Applies as a catalog does, with a metadata file behind every state. */
function commits(count: number, base: TableMetadata = table): TableMetadata {
  let metadata = base;
  for (let n = 1; n <= count; n += 1) {
    const next = snapshot(BigInt(n), n, n === 1 ? undefined : BigInt(n - 1));
    const context = {
      nowMs: NOW_MS + n * 1000,
      previousMetadataLocation: `file:///w/t/metadata/${n - 1}.metadata.json`,
    };
    metadata = applyUpdates(metadata, [add(next), main(BigInt(n))], context);
  }
  return metadata;
}

const apply = (updates: readonly TableUpdate[], base: TableMetadata = table): TableMetadata =>
  applyUpdates(base, updates, { nowMs: NOW_MS + 1_000_000 });

describe("snapshots and logs", () => {
  it("keeps the newest previous-versions-max entries of the metadata log", () => {
    const limited = { ...table, properties: { "write.metadata.previous-versions-max": "2" } };
    expect(commits(4, limited)["metadata-log"]).toEqual([
      { "timestamp-ms": NOW_MS + 2000, "metadata-file": "file:///w/t/metadata/2.metadata.json" },
      { "timestamp-ms": NOW_MS + 3000, "metadata-file": "file:///w/t/metadata/3.metadata.json" },
    ]);
    expect(commits(102)["metadata-log"]).toHaveLength(100);
  });

  it("forgets history before a removed snapshot, as the specification wants", () => {
    const { "snapshot-log": log } = apply([{ action: "remove-snapshots", "snapshot-ids": [2n] }], commits(4));
    expect(log.map((entry) => entry["snapshot-id"])).toEqual([3n, 4n]);
  });

  it("logs a rollback with the time of the rollback", () => {
    const rolled = apply([main(1n)], commits(3));
    expect(rolled["current-snapshot-id"]).toBe(1n);
    expect(rolled["snapshot-log"].at(-1)).toEqual({ "snapshot-id": 1n, "timestamp-ms": NOW_MS + 1_000_000 });
    expect(rolled["last-sequence-number"]).toBe(3);
  });

  it("leaves main as it is when a snapshot is only staged or on a branch", () => {
    const staged = apply([add(snapshot(9n, 4, 3n))], commits(3));
    expect(staged["current-snapshot-id"]).toBe(3n);
    expect(staged["snapshot-log"]).toHaveLength(3);
    expect(staged["last-updated-ms"]).toBe(NOW_MS + 4000);
  });

  it("removes statistics and references with their snapshot, but never main's newest", () => {
    const file = {
      "snapshot-id": 1n,
      "statistics-path": "s",
      "file-size-in-bytes": 1,
      "file-footer-size-in-bytes": 1,
      "blob-metadata": [],
    };
    const tag: TableUpdate = { action: "set-snapshot-ref", "ref-name": "old", type: "tag", "snapshot-id": 1n };
    const tagged = apply([{ action: "set-statistics", statistics: file }, tag], commits(2));
    const removed = apply([{ action: "remove-snapshots", "snapshot-ids": [1n] }], tagged);
    expect(removed.statistics).toEqual([]);
    expect(Object.keys(removed.refs)).toEqual(["main"]);
    expect(() => apply([{ action: "remove-snapshots", "snapshot-ids": [2n] }], tagged)).toThrow(
      "current snapshot of main",
    );
  });

  it("empties a table whose main is removed", () => {
    const emptied = apply([{ action: "remove-snapshot-ref", "ref-name": "main" }], commits(2));
    expect(emptied).not.toHaveProperty("current-snapshot-id");
  });

  it("never changes what it was given", () => {
    const before = commits(2);
    const text = stringifyLakeJson(before);
    apply([add(snapshot(3n, 3, 2n)), main(3n), { action: "set-properties", updates: { a: "b" } }], before);
    expect(stringifyLakeJson(before)).toBe(text);
  });
});

describe("refused updates", () => {
  const wider = schemaFromColumns([{ name: "id", type: "timestamptz_ns", required: true }]);
  it.each<[string, TableUpdate[], string]>([
    ["a snapshot twice", [add(snapshot(1n, 9, 3n))], "already exists"],
    ["an old sequence number", [add(snapshot(9n, 3, 3n))], "older than last sequence number 3"],
    ["a reference to nowhere", [main(77n)], "unknown snapshot"],
    ["main as a tag", [{ ...main(1n), type: "tag" } as TableUpdate], "main must be a branch"],
    ["an unknown current schema", [{ action: "set-current-schema", "schema-id": 5 }], "unknown schema"],
    ["last added of nothing", [{ action: "set-default-spec", "spec-id": -1 }], "no partition spec has been added"],
    ["the default spec's removal", [{ action: "remove-partition-specs", "spec-ids": [0] }], "default partition spec"],
    ["the current schema's removal", [{ action: "remove-schemas", "schema-ids": [0] }], "current schema"],
    ["another uuid", [{ action: "assign-uuid", uuid: "00000000-0000-4000-8000-000000000000" }], "cannot reassign"],
    ["a downgrade", [{ action: "upgrade-format-version", "format-version": 1 }], "cannot downgrade v2 table to v1"],
    ["a future version", [{ action: "upgrade-format-version", "format-version": 4 }], "unsupported format version"],
    ["a v3 type in v2", [{ action: "add-schema", schema: wider }], "not supported until v3"],
    ["a bad transform", [spec("v", 3, "bucket[4]")], "cannot transform double values"],
    ["an unknown transform", [spec("v", 3, "constructor")], "unknown transform"],
    ["a name of another column", [spec("value", 1, "bucket[4]")], "name that exists in schema"],
    ["a missing source", [spec("v", 9, "identity")], "cannot find source column"],
    ["a dropped partition column", dropPartitionColumn(), "cannot find source column"],
    [
      "a snapshot long before the newest",
      [add({ ...snapshot(9n, 4, 3n), "timestamp-ms": 5 }), main(9n)],
      "before the newest",
    ],
  ])("refuses %s", (_, updates, message) => {
    expect(() => apply(updates, commits(3))).toThrow(message);
  });

  function spec(name: string, source: number, transform: string): TableUpdate {
    return { action: "add-spec", spec: { fields: [{ "source-id": source, name, transform }] } };
  }

  function dropPartitionColumn(): TableUpdate[] {
    const schema = schemaFromColumns([{ name: "id", type: "long", required: true }]);
    return [
      { action: "add-schema", schema },
      { action: "set-current-schema", "schema-id": -1 },
    ];
  }
});

describe("a table made by a commit", () => {
  const schema = schemaFromColumns([{ name: "id", type: "long", required: true }]);
  const updates: TableUpdate[] = [
    { action: "assign-uuid", uuid: "6f9c4a70-7b0e-4d39-9c5a-5a6f0a4b8c11" },
    { action: "upgrade-format-version", "format-version": 2 },
    { action: "add-schema", schema, "last-column-id": 1 },
    { action: "set-current-schema", "schema-id": -1 },
    { action: "add-spec", spec: { "spec-id": 0, fields: [] } },
    { action: "set-default-spec", "spec-id": -1 },
    { action: "add-sort-order", "sort-order": { "order-id": 0, fields: [] } },
    { action: "set-default-sort-order", "sort-order-id": -1 },
    { action: "set-location", location: "file:///w/new/" },
    { action: "set-properties", updates: { a: "b", "format-version": "3" } },
    add(snapshot(1n, 1)),
    main(1n),
  ];

  it("has what the updates say", () => {
    const made = planCommit(undefined, { requirements: [{ type: "assert-create" }], updates }, NOW_MS);
    expect(made).toMatchObject({
      "format-version": 2,
      location: "file:///w/new",
      "current-schema-id": 0,
      "default-spec-id": 0,
      "default-sort-order-id": 0,
      "last-column-id": 1,
      "last-partition-id": 999,
      properties: { a: "b" },
      "current-snapshot-id": 1n,
    });
    expect(made["snapshot-log"]).toHaveLength(1);
  });

  it("needs a uuid, a location and a schema", () => {
    for (const action of ["assign-uuid", "set-location", "set-current-schema"]) {
      const missing = updates.filter((update) => update.action !== action);
      expect(() => planCommit(undefined, { requirements: [], updates: missing }, NOW_MS)).toThrow(action);
    }
  });
});

describe("checkRequirements", () => {
  it.each<[TableRequirement, string]>([
    [{ type: "assert-create" }, "table already exists"],
    [{ type: "assert-table-uuid", uuid: "x" }, `UUID does not match: expected ${table["table-uuid"]} != x`],
    [{ type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": null }, "branch main was created concurrently"],
    [{ type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": 9n }, "branch main has changed: expected id 9 != 1"],
    [
      { type: "assert-ref-snapshot-id", ref: "toString", "snapshot-id": 9n },
      "branch or tag toString is missing, expected 9",
    ],
    [
      { type: "assert-last-assigned-field-id", "last-assigned-field-id": 9 },
      "last assigned field id changed: expected id 9 != 3",
    ],
    [{ type: "assert-current-schema-id", "current-schema-id": 9 }, "current schema changed: expected id 9 != 0"],
    [
      { type: "assert-last-assigned-partition-id", "last-assigned-partition-id": 9 },
      "last assigned partition id changed: expected id 9 != 1000",
    ],
    [{ type: "assert-default-spec-id", "default-spec-id": 9 }, "default partition spec changed: expected id 9 != 0"],
    [
      { type: "assert-default-sort-order-id", "default-sort-order-id": 9 },
      "default sort order changed: expected id 9 != 0",
    ],
  ])("says in Java's words what does not hold (case %#)", (requirement, failure) => {
    expect(() => checkRequirements(commits(1), [requirement])).toThrow(`Requirement failed: ${failure}`);
  });

  it("holds for a table as it is", () => {
    const metadata = commits(1);
    checkRequirements(metadata, [
      { type: "assert-table-uuid", uuid: table["table-uuid"].toUpperCase() },
      { type: "assert-ref-snapshot-id", ref: "main", "snapshot-id": 1n },
      { type: "assert-ref-snapshot-id", ref: "constructor", "snapshot-id": null },
    ]);
    checkRequirements(undefined, [{ type: "assert-create" }]);
  });
});

describe("tableCommitAt", () => {
  it.each([
    [`{"updates":[{"action":"add-snapshot"}]}`, "updates[0].snapshot: is missing"],
    [
      `{"updates":[{"action":"add-snapshot","snapshot":{"snapshot-id":1.5}}]}`,
      "snapshot-id: 1.5 is not a 64-bit integer",
    ],
    [
      `{"updates":[{"action":"add-snapshot","snapshot":{"snapshot-id":"x"}}]}`,
      "updates[0].snapshot.snapshot-id: must be a 64-bit integer",
    ],
    [`{"updates":[{"action":"toString"}]}`, `updates[0].action: cannot apply the update "toString"`],
    [`{"updates":{}}`, "updates: must be an array"],
    [`{"requirements":[{"type":"assert-ref-snapshot-id"}]}`, "requirements[0].ref: is missing"],
    [`{"requirements":[{"type":"assert-nothing"}]}`, `requirements[0].type: unknown requirement "assert-nothing"`],
    [`[]`, "body: must be an object"],
  ])("names the field and the rule of %s", (text, message) => {
    expect(() => tableCommitAt(parseLakeJson(text), "")).toThrow(message);
  });
});
