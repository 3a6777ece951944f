import { describe, expect, it } from "vitest";
import type { Snapshot } from "../metadata/snapshot.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import { isOnMain, newestSummaryEntry } from "./summary-entry.ts";

/** A snapshot with its id, its parent and what it says of `at`. */
function snapshot(id: number, parent: number | undefined, at?: string): Snapshot {
  return {
    "snapshot-id": BigInt(id),
    ...(parent !== undefined && { "parent-snapshot-id": BigInt(parent) }),
    "sequence-number": id,
    "timestamp-ms": id,
    summary: { operation: "append", ...(at !== undefined && { at }) },
  };
}

function table(current: number | undefined, ...snapshots: Snapshot[]): TableMetadata {
  const pointer = current === undefined ? {} : { "current-snapshot-id": BigInt(current) };
  return { snapshots, ...pointer } as unknown as TableMetadata;
}

describe("the newest entry of a summary", () => {
  it("is that of the current snapshot or of the nearest ancestor that has one", () => {
    const chain = [snapshot(1, undefined, "10"), snapshot(2, 1, "20"), snapshot(3, 2)];
    expect(newestSummaryEntry(table(3, ...chain), "at")).toEqual({ kind: "found", value: "20" });
    expect(newestSummaryEntry(table(1, ...chain), "at")).toEqual({ kind: "found", value: "10" });
  });

  it("is none where the whole chain has none, or there is no chain", () => {
    expect(newestSummaryEntry(table(2, snapshot(1, undefined), snapshot(2, 1)), "at")).toEqual({ kind: "none" });
    expect(newestSummaryEntry(table(undefined, snapshot(1, undefined, "10")), "at")).toEqual({ kind: "none" });
  });

  it("is gone where the chain ends at an expired snapshot", () => {
    expect(newestSummaryEntry(table(3, snapshot(3, 2)), "at")).toEqual({ kind: "gone" });
  });
});

describe("what a property says of main's rows", () => {
  const chain = [snapshot(1, undefined, "10"), snapshot(2, 1, "20"), snapshot(3, 2)];

  it("holds after commits that say nothing, and not after a rollback", () => {
    expect(isOnMain(table(3, ...chain), "at", "20")).toBe(true);
    expect(isOnMain(table(1, ...chain), "at", "20")).toBe(false);
    expect(isOnMain(table(undefined, ...chain), "at", "20")).toBe(false);
    expect(isOnMain(table(4, ...chain, snapshot(4, undefined)), "at", "20")).toBe(false);
  });

  it("holds where its snapshot has expired, unless main went to before it", () => {
    expect(isOnMain(table(3, snapshot(3, 2)), "at", "20")).toBe(true);
    expect(isOnMain(table(1, snapshot(1, 0), snapshot(2, 1, "20")), "at", "20")).toBe(false);
  });
});
