import { LakeError } from "../lake-error.ts";
import type { Schema } from "../metadata/schema.ts";
import type { BoundPartitionField, BoundSpec } from "../transform/bound-spec.ts";
import { AvroWriter } from "./avro-binary.ts";
import { encodeContainer, type AvroBlock } from "./avro-container.ts";
import type { AvroSchema } from "./avro-decoder.ts";
import { manifestEntrySchema } from "./avro-schema.ts";
import { isDelete, type DataFile, type LiveFile } from "./data-file.ts";
import { EncodedMap } from "./encoded-map.ts";
import { fieldSummaries } from "./field-summaries.ts";
import { EntryStatus } from "./manifest-entry.ts";
import { ManifestContent, type ManifestFile } from "./manifest-file.ts";
import { partitionWriter } from "./partition-codec.ts";

export interface ManifestToWrite {
  readonly location: string;
  readonly content: ManifestContent;
  readonly spec: BoundSpec;
  /** The table's current schema, for the manifest's header. */
  readonly schema: Schema;
  /** The snapshot that adds the manifest, and its sequence number. */
  readonly snapshotId: bigint;
  readonly sequenceNumber: number;
  /** New files: their sequence numbers are left null, to be inherited from the manifest list. */
  readonly added: readonly DataFile[];
  /** Files that stay and files that go, with their own sequence numbers written out. */
  readonly existing: readonly LiveFile[];
  readonly deleted: readonly LiveFile[];
}

export interface WrittenManifest {
  readonly bytes: Uint8Array;
  /** The manifest's entry in the manifest list. */
  readonly manifest: ManifestFile;
  /** What `bytes` holds, for `decodeEntries`. */
  readonly schema: AvroSchema;
  readonly blocks: readonly AvroBlock[];
}

/** Raw bytes after which a block of entries ends. */
const BLOCK_BYTES = 256 * 1024;

/** Writes a version 2 manifest. */
export async function encodeManifest(input: ManifestToWrite): Promise<WrittenManifest> {
  const writer = new AvroWriter();
  const write = entryWriter(writer, input);
  const tally = entryTally(input);
  const blocks: AvroBlock[] = [];
  let records = 0;
  const endBlock = (): void => {
    if (records > 0) blocks.push({ records, bytes: writer.take() });
    records = 0;
  };
  const add = (status: EntryStatus, file: DataFile | LiveFile): void => {
    checkFile(input, file);
    write(status, file);
    tally.add(status, file);
    records++;
    if (writer.length >= BLOCK_BYTES) endBlock();
  };
  for (const file of input.added) add(EntryStatus.added, file);
  for (const file of input.existing) add(EntryStatus.existing, file);
  for (const file of input.deleted) add(EntryStatus.deleted, file);
  endBlock();
  const schema = manifestEntrySchema(input.spec);
  const bytes = await encodeContainer(schema, headerOf(input), blocks);
  return { bytes, manifest: tally.finish(bytes.length), schema, blocks };
}

function checkFile({ spec, content, location }: ManifestToWrite, file: DataFile): void {
  const fits = file.specId === spec.specId && isDelete(file) === (content === ManifestContent.deletes);
  if (fits) return;
  throw new LakeError("invalid", `file ${file.filePath} does not belong in manifest ${location}`, {
    context: { specId: file.specId, content: file.content },
  });
}

function headerOf({ schema, spec, content }: ManifestToWrite): Record<string, string> {
  const fields = spec.fields.map((field) => ({
    name: field.name,
    transform: transformText(field),
    "source-id": field.sourceId,
    "field-id": field.fieldId,
  }));
  return {
    schema: JSON.stringify(schema),
    "schema-id": String(schema["schema-id"]),
    "partition-spec": JSON.stringify(fields),
    "partition-spec-id": String(spec.specId),
    "format-version": "2",
    content: content === ManifestContent.data ? "data" : "deletes",
  };
}

function transformText({ transform }: BoundPartitionField): string {
  switch (transform.kind) {
    case "bucket":
      return `bucket[${transform.buckets}]`;
    case "truncate":
      return `truncate[${transform.width}]`;
    case "unknown":
      return transform.text;
    default:
      return transform.kind;
  }
}

/** Counts entries into the manifest's own entry of the manifest list. */
function entryTally(input: ManifestToWrite) {
  const counts = [0, 0, 0];
  const rows = [0, 0, 0];
  const summaries = fieldSummaries(input.spec);
  let minSequenceNumber = input.sequenceNumber;
  return {
    add(status: EntryStatus, file: DataFile | LiveFile): void {
      counts[status]! += 1;
      rows[status]! += file.recordCount;
      summaries.add(file.partition);
      if (status === EntryStatus.existing) {
        minSequenceNumber = Math.min(minSequenceNumber, (file as LiveFile).sequenceNumber);
      }
    },
    finish: (manifestLength: number): ManifestFile => ({
      manifestPath: input.location,
      manifestLength,
      specId: input.spec.specId,
      content: input.content,
      sequenceNumber: input.sequenceNumber,
      minSequenceNumber,
      addedSnapshotId: input.snapshotId,
      addedFilesCount: counts[EntryStatus.added]!,
      existingFilesCount: counts[EntryStatus.existing]!,
      deletedFilesCount: counts[EntryStatus.deleted]!,
      addedRowsCount: rows[EntryStatus.added]!,
      existingRowsCount: rows[EntryStatus.existing]!,
      deletedRowsCount: rows[EntryStatus.deleted]!,
      partitions: summaries.finish(),
    }),
  };
}

/** Writes entries in the field order of `manifestEntrySchema`. */
function entryWriter(
  writer: AvroWriter,
  { spec, snapshotId }: ManifestToWrite,
): (status: EntryStatus, file: DataFile | LiveFile) => void {
  const writePartition = partitionWriter(writer, spec);
  const optional = <T>(value: T | undefined, write: (value: T) => void): void => {
    if (value === undefined) return writer.long(0);
    writer.long(1);
    write(value);
  };
  const long = (value: number | bigint): void => writer.long(value);
  const bytes = (value: Uint8Array): void => writer.bytes(value);
  const counts = (map: ReadonlyMap<number, number>): void => writeMap(writer, map, long);
  const bounds = (map: ReadonlyMap<number, Uint8Array>): void => writeMap(writer, map, bytes);
  const list = (values: readonly number[]): void => writeList(writer, values);

  return (status, file) => {
    const live = status === EntryStatus.added ? undefined : (file as LiveFile);
    writer.long(status);
    optional(status === EntryStatus.existing ? live!.snapshotId : snapshotId, long);
    optional(live?.sequenceNumber, long);
    optional(live?.fileSequenceNumber, long);
    writer.long(file.content);
    writer.string(file.filePath);
    writer.string(file.fileFormat);
    writePartition(file.partition);
    writer.long(file.recordCount);
    writer.long(file.fileSizeBytes);
    optional(file.columnSizes, counts);
    optional(file.valueCounts, counts);
    optional(file.nullValueCounts, counts);
    optional(file.nanValueCounts, counts);
    optional(file.lowerBounds, bounds);
    optional(file.upperBounds, bounds);
    optional(file.keyMetadata, bytes);
    optional(file.splitOffsets, list);
    optional(file.equalityIds, list);
    optional(file.sortOrderId, long);
    optional(file.referencedDataFile, (location) => writer.string(location));
  };
}

function writeMap<T>(writer: AvroWriter, map: ReadonlyMap<number, T>, write: (value: T) => void): void {
  if (map instanceof EncodedMap) return writer.fixed(map.encoded());
  if (map.size > 0) {
    writer.long(map.size);
    for (const [key, value] of map) {
      writer.long(key);
      write(value);
    }
  }
  writer.long(0);
}

function writeList(writer: AvroWriter, values: readonly number[]): void {
  if (values.length > 0) {
    writer.long(values.length);
    for (const value of values) writer.long(value);
  }
  writer.long(0);
}
