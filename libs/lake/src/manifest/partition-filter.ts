import type { Predicate } from "../scan/predicate.ts";
import type { BoundPartitionField, BoundSpec } from "../transform/bound-spec.ts";
import { projectPredicate } from "../transform/projection.ts";
import { ANY_VALUE, mayMatch, type ValueRange } from "../transform/value-range.ts";
import { isDelete, type DataFile, type LiveFile, type Partition } from "./data-file.ts";
import { ManifestContent, mayHaveLiveFiles, type FieldSummary, type ManifestFile } from "./manifest-file.ts";
import { decodeSingleValue } from "./single-value.ts";

/** Answers for one partition spec; false means that it is certain that no row matches. */
export interface PartitionFilter {
  mayMatchPartition(partition: Partition): boolean;
  mayMatchManifest(manifest: ManifestFile): boolean;
}

/** A filter for files and manifests of `spec`, from a predicate over columns. */
export function partitionFilter(where: Predicate, spec: BoundSpec): PartitionFilter {
  return filterOfProjected(projectPredicate(where, spec.fields), spec);
}

/** The same from a predicate over partition fields. */
export function filterOfProjected(projected: Predicate, spec: BoundSpec): PartitionFilter {
  const places = new Map(spec.fields.map((field, place) => [field.name, place]));
  return {
    mayMatchPartition: (partition) => mayMatch(projected, (name) => rangeOfValue(partition, name)),
    mayMatchManifest: ({ partitions }) =>
      partitions === undefined ||
      mayMatch(projected, (name) => {
        const place = places.get(name);
        const summary = place === undefined ? undefined : partitions[place];
        return summary === undefined ? ANY_VALUE : rangeOfSummary(spec.fields[place!]!, summary);
      }),
  };
}

/**
 * True when the manifest may hold this file as a live one. Reads nothing: it goes by spec, content, sequence numbers
 * and the partition summaries of the list.
 */
export function mayHoldFile(manifest: ManifestFile, spec: BoundSpec, file: DataFile | LiveFile): boolean {
  if ("sequenceNumber" in file) {
    // A live file is at least as old as its manifest, and none in it is older than the lowest.
    const { sequenceNumber } = file;
    if (sequenceNumber > manifest.sequenceNumber || sequenceNumber < manifest.minSequenceNumber) return false;
  }
  return mayHoldLocation(manifest, spec, file);
}

/** The same for any entry that names the file: one that was added again has another sequence number. */
export function mayHoldLocation(manifest: ManifestFile, spec: BoundSpec, file: DataFile): boolean {
  if (!mayHaveLiveFiles(manifest) || manifest.specId !== file.specId) return false;
  if (isDelete(file) !== (manifest.content === ManifestContent.deletes)) return false;
  return mayHoldPartition(manifest, spec, file.partition);
}

function mayHoldPartition({ partitions }: ManifestFile, spec: BoundSpec, partition: Partition): boolean {
  if (partitions === undefined) return true;
  return spec.fields.every((field, place) => {
    const summary = partitions[place];
    const value = partition[field.name] ?? null;
    if (summary === undefined) return true;
    const op = value === null ? ({ op: "is_null", column: "" } as const) : ({ op: "eq", column: "", value } as const);
    return mayMatch(op, () => rangeOfSummary(field, summary));
  });
}

function rangeOfValue(partition: Partition, name: string): ValueRange {
  const value = partition[name] ?? null;
  if (value === null) return { mayHaveNull: true, mayHaveValue: false };
  if (typeof value === "number" && Number.isNaN(value)) return { mayHaveNull: false, mayHaveValue: true };
  return { lower: value, upper: value, mayHaveNull: false, mayHaveValue: true };
}

/** Bounds leave NaN out, so with one among the values nothing is known of them. */
function rangeOfSummary(field: BoundPartitionField, summary: FieldSummary): ValueRange {
  const floating = field.resultType === "float" || field.resultType === "double";
  if (floating && summary.containsNan !== false) return { mayHaveNull: summary.containsNull, mayHaveValue: true };
  const { lowerBound, upperBound, containsNull } = summary;
  return {
    ...(lowerBound === undefined ? {} : { lower: decodeSingleValue(field.resultType, lowerBound) }),
    ...(upperBound === undefined ? {} : { upper: decodeSingleValue(field.resultType, upperBound) }),
    mayHaveNull: containsNull,
    // A summary without bounds has no values, unless it has no nulls either: then the writer left the bounds out.
    mayHaveValue: lowerBound !== undefined || upperBound !== undefined || !containsNull,
  };
}
