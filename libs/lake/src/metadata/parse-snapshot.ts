import {
  idAt,
  integerAt,
  listAt,
  nonEmptyStringAt,
  objectAt,
  oneOfAt,
  optionalAt,
  stringAt,
  stringMapAt,
  under,
} from "./json-shape.ts";
import { withoutNull } from "./parse-schema.ts";
import type { Snapshot, SnapshotRef, SnapshotSummary } from "./snapshot.ts";
import type { BlobMetadata, PartitionStatisticsFile, StatisticsFile } from "./table-metadata.ts";

const OPERATIONS = ["append", "replace", "overwrite", "delete"] as const;

/** A snapshot of table metadata or of an add-snapshot update. `sequence-number` is 0 where a v1 table has none. */
export function snapshotAt(value: unknown, path: string): Snapshot {
  const raw = objectAt(value, path);
  idAt(raw["snapshot-id"], under(path, "snapshot-id"));
  optionalAt(raw["parent-snapshot-id"], under(path, "parent-snapshot-id"), idAt);
  integerAt(raw["timestamp-ms"], under(path, "timestamp-ms"));
  optionalAt(raw["sequence-number"], under(path, "sequence-number"), integerAt);
  optionalAt(raw["schema-id"], under(path, "schema-id"), integerAt);
  if (raw["manifests"] === undefined) nonEmptyStringAt(raw["manifest-list"], under(path, "manifest-list"));
  else listAt(raw["manifests"], under(path, "manifests"), stringAt);
  optionalAt(raw["first-row-id"], under(path, "first-row-id"), integerAt);
  optionalAt(raw["added-rows"], under(path, "added-rows"), integerAt);
  optionalAt(raw["summary"], under(path, "summary"), summaryAt);
  const snapshot = withoutNull(
    raw,
    "parent-snapshot-id",
    "sequence-number",
    "schema-id",
    "summary",
    "first-row-id",
    "added-rows",
    "key-id",
  );
  return (snapshot["sequence-number"] === undefined
    ? { ...snapshot, "sequence-number": 0 }
    : snapshot) as unknown as Snapshot;
}

function summaryAt(value: unknown, path: string): SnapshotSummary {
  const summary = stringMapAt(value, path);
  oneOfAt(summary["operation"], under(path, "operation"), OPERATIONS);
  return summary as SnapshotSummary;
}

export function snapshotRefAt(value: unknown, path: string): SnapshotRef {
  const ref = objectAt(value, path);
  idAt(ref["snapshot-id"], under(path, "snapshot-id"));
  oneOfAt(ref["type"], under(path, "type"), ["branch", "tag"] as const);
  const limits = ["min-snapshots-to-keep", "max-snapshot-age-ms", "max-ref-age-ms"];
  for (const key of limits) optionalAt(ref[key], under(path, key), integerAt);
  return withoutNull(ref, ...limits) as unknown as SnapshotRef;
}

export function statisticsFileAt(value: unknown, path: string): StatisticsFile {
  const file = objectAt(value, path);
  idAt(file["snapshot-id"], under(path, "snapshot-id"));
  nonEmptyStringAt(file["statistics-path"], under(path, "statistics-path"));
  integerAt(file["file-size-in-bytes"], under(path, "file-size-in-bytes"));
  integerAt(file["file-footer-size-in-bytes"], under(path, "file-footer-size-in-bytes"));
  listAt(file["blob-metadata"], under(path, "blob-metadata"), blobMetadataAt);
  return withoutNull(file, "key-metadata") as unknown as StatisticsFile;
}

function blobMetadataAt(value: unknown, path: string): BlobMetadata {
  const blob = objectAt(value, path);
  nonEmptyStringAt(blob["type"], under(path, "type"));
  idAt(blob["snapshot-id"], under(path, "snapshot-id"));
  integerAt(blob["sequence-number"], under(path, "sequence-number"));
  listAt(blob["fields"], under(path, "fields"), integerAt);
  optionalAt(blob["properties"], under(path, "properties"), stringMapAt);
  return withoutNull(blob, "properties") as unknown as BlobMetadata;
}

export function partitionStatisticsFileAt(value: unknown, path: string): PartitionStatisticsFile {
  const file = objectAt(value, path);
  idAt(file["snapshot-id"], under(path, "snapshot-id"));
  nonEmptyStringAt(file["statistics-path"], under(path, "statistics-path"));
  integerAt(file["file-size-in-bytes"], under(path, "file-size-in-bytes"));
  return file as unknown as PartitionStatisticsFile;
}
