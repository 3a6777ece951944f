import { expect } from "vitest";
import { LakeError, type LakeErrorKind } from "../../lake-error.ts";
import type { Snapshot } from "../../metadata/snapshot.ts";
import { createTableRequest } from "../../metadata/table-definition.ts";
import type { TableUpdate } from "../../metadata/updates.ts";
import type { LoadedTable, TableCommit, TableIdentifier } from "../catalog.ts";

/** Tables and commits that the contract suite works with. */

export const NAMESPACE = ["lake"];
export const EVENTS: TableIdentifier = { namespace: NAMESPACE, name: "events" };
export const OTHER: TableIdentifier = { namespace: NAMESPACE, name: "other" };

export const request = createTableRequest({
  columns: [
    { name: "id", type: "long", required: true },
    { name: "at", type: "timestamptz", required: true },
    { name: "tags", type: "map<string,string>", required: false },
    { name: "kind", type: "string", required: false, doc: "what it is" },
  ],
  identity: ["id"],
  partition: [{ source: "at", transform: "day", name: "at_day" }],
  sort: ["id"],
  properties: { owner: "tests" },
});

/** Ids beyond 2^53 and near the ends of 64 bits: a reader that rounds them fails here. */
export const FIRST_ID = 9_223_372_036_854_775_783n;
export const SECOND_ID = 9_007_199_254_740_993n;

export function appendOf(table: LoadedTable, snapshotId: bigint): TableUpdate[] {
  const { metadata } = table;
  const parent = metadata["current-snapshot-id"];
  const snapshot: Snapshot = {
    "snapshot-id": snapshotId,
    ...(parent === undefined ? {} : { "parent-snapshot-id": parent }),
    "sequence-number": metadata["last-sequence-number"] + 1,
    "timestamp-ms": metadata["last-updated-ms"] + 1,
    "manifest-list": `${metadata.location}/metadata/snap-${snapshotId}.avro`,
    summary: { operation: "append" },
    "schema-id": metadata["current-schema-id"],
  };
  return [
    { action: "add-snapshot", snapshot },
    { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": snapshotId },
  ];
}

export function commitOf(table: LoadedTable, snapshotId: bigint): TableCommit {
  return {
    requirements: [
      { type: "assert-table-uuid", uuid: table.metadata["table-uuid"] },
      {
        type: "assert-ref-snapshot-id",
        ref: "main",
        "snapshot-id": table.metadata["current-snapshot-id"] ?? null,
      },
    ],
    updates: appendOf(table, snapshotId),
  };
}

export async function failure(work: Promise<unknown>): Promise<LakeError> {
  try {
    await work;
  } catch (error) {
    expect(error).toBeInstanceOf(LakeError);
    return error as LakeError;
  }
  throw new Error("expected a failure");
}

export async function expectFailure(work: Promise<unknown>, kind: LakeErrorKind, message: string): Promise<void> {
  const error = await failure(work);
  expect({ kind: error.kind, message: error.message }).toEqual({ kind, message: expect.stringContaining(message) });
}
