import { shapeError } from "./json-shape.ts";
import type { MetadataDraft } from "./metadata-draft.ts";
import { MAIN_BRANCH, type Snapshot, type SnapshotRef } from "./snapshot.ts";

const CLOCK_SKEW_MS_MAX = 60_000;

export function addSnapshot(draft: MetadataDraft, snapshot: Snapshot): void {
  const id = snapshot["snapshot-id"];
  const sequence = snapshot["sequence-number"];
  if (draft.snapshots.has(id)) throw shapeError("add-snapshot.snapshot", `snapshot already exists for id: ${id}`);
  if (draft.formatVersion > 1 && sequence <= draft.lastSequenceNumber && snapshot["parent-snapshot-id"] !== undefined) {
    throw shapeError(
      "add-snapshot.snapshot.sequence-number",
      `cannot add snapshot with sequence number ${sequence} older than last sequence number ${draft.lastSequenceNumber}`,
    );
  }
  if (draft.formatVersion >= 3) takeRowIds(draft, snapshot);
  draft.lastUpdatedMs = snapshot["timestamp-ms"];
  draft.lastSequenceNumber = Math.max(draft.lastSequenceNumber, sequence);
  draft.snapshots.set(id, snapshot);
  draft.addedSnapshotIds.add(id);
}

/** v3 row lineage (specification, "Row Lineage"). */
function takeRowIds(draft: MetadataDraft, snapshot: Snapshot): void {
  const first = snapshot["first-row-id"];
  const added = snapshot["added-rows"];
  if (first === undefined) throw shapeError("add-snapshot.snapshot.first-row-id", "is missing (needed from v3)");
  if (added === undefined) throw shapeError("add-snapshot.snapshot.added-rows", "is missing (needed from v3)");
  if (first < draft.nextRowId) {
    throw shapeError(
      "add-snapshot.snapshot.first-row-id",
      `is behind the table's next-row-id: ${first} < ${draft.nextRowId}`,
    );
  }
  draft.nextRowId += added;
}

export function setSnapshotRef(draft: MetadataDraft, name: string, ref: SnapshotRef): void {
  const snapshot = draft.snapshots.get(ref["snapshot-id"]);
  if (snapshot === undefined) {
    throw shapeError("set-snapshot-ref.snapshot-id", `cannot set ${name} to unknown snapshot: ${ref["snapshot-id"]}`);
  }
  if (name === MAIN_BRANCH && ref.type !== "branch") throw shapeError("set-snapshot-ref.type", "main must be a branch");
  if (ref.type === "tag" && (ref["min-snapshots-to-keep"] ?? ref["max-snapshot-age-ms"]) !== undefined) {
    throw shapeError("set-snapshot-ref", "tags have no min-snapshots-to-keep and no max-snapshot-age-ms");
  }
  const before = draft.refs.get(name);
  draft.refs.set(name, ref);
  if (before?.["snapshot-id"] === ref["snapshot-id"]) return;
  if (draft.addedSnapshotIds.has(ref["snapshot-id"])) draft.lastUpdatedMs = snapshot["timestamp-ms"];
  if (name === MAIN_BRANCH) {
    draft.lastUpdatedMs ??= draft.nowMs;
    checkLogOrder(draft, draft.lastUpdatedMs);
    draft.snapshotLog.push({ "snapshot-id": ref["snapshot-id"], "timestamp-ms": draft.lastUpdatedMs });
  }
}

/** Java refuses to read a table whose snapshot log runs backwards by more than its tolerance for clock skew. */
function checkLogOrder(draft: MetadataDraft, timestampMs: number): void {
  const newest = draft.snapshotLog.at(-1)?.["timestamp-ms"];
  if (newest !== undefined && timestampMs < newest - CLOCK_SKEW_MS_MAX) {
    throw shapeError(
      "add-snapshot.snapshot.timestamp-ms",
      `${timestampMs} lies more than a minute before the newest entry of the snapshot log, ${newest}`,
    );
  }
}

export function removeSnapshotRef(draft: MetadataDraft, name: string): void {
  draft.refs.delete(name);
}

/** References to a removed snapshot go with it, as Java does it; only main's newest is never given up by accident. */
export function removeSnapshots(draft: MetadataDraft, ids: readonly bigint[]): void {
  const main = draft.refs.get(MAIN_BRANCH)?.["snapshot-id"];
  const removed = new Set(ids);
  if (main !== undefined && removed.has(main)) {
    throw shapeError("remove-snapshots.snapshot-ids", `cannot remove the current snapshot of main: ${main}`);
  }
  for (const id of removed) {
    if (draft.snapshots.delete(id)) draft.snapshotsRemoved = true;
  }
  for (const [name, ref] of draft.refs) if (removed.has(ref["snapshot-id"])) draft.refs.delete(name);
  draft.statistics = draft.statistics.filter((file) => !removed.has(file["snapshot-id"]));
  draft.partitionStatistics = draft.partitionStatistics.filter((file) => !removed.has(file["snapshot-id"]));
}
