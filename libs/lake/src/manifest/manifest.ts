import { LakeError } from "../lake-error.ts";
import type { Schema } from "../metadata/schema.ts";
import type { BoundPartitionField, BoundSpec } from "../transform/bound-spec.ts";
import { encodeContainer, decodeContainer, type AvroBlock } from "./avro-container.ts";
import { AvroReader, AvroWriter } from "./avro-binary.ts";
import { compileDecoder, type AvroField, type AvroSchema } from "./avro-decoder.ts";
import { manifestEntrySchema } from "./avro-schema.ts";
import { FileContent, isDelete, type DataFile, type FileFormat, type LiveFile, type Partition } from "./data-file.ts";
import { fieldSummaries } from "./field-summaries.ts";
import { ManifestContent, type ManifestFile } from "./manifest-file.ts";
import { partitionReader, partitionWriter } from "./partition-codec.ts";

/** What became of a file in the snapshot that wrote the manifest (specification, "Manifest Entry Fields"). */
export const EntryStatus = { existing: 0, added: 1, deleted: 2 } as const;
export type EntryStatus = (typeof EntryStatus)[keyof typeof EntryStatus];

/** An entry as it is read. Of a deleted one, `file.snapshotId` is the snapshot that deleted it. */
export interface ManifestEntry {
  readonly status: EntryStatus;
  readonly file: LiveFile;
}

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
  readonly manifest: ManifestFile;
  /** As a reader of the manifest will see them. */
  readonly entries: readonly ManifestEntry[];
  /** Size of the entries before compression. */
  readonly rawBytes: number;
}

/** Raw bytes after which a block of entries ends. */
const BLOCK_BYTES = 256 * 1024;

/** Writes a version 2 manifest. */
export async function encodeManifest(input: ManifestToWrite): Promise<WrittenManifest> {
  const entries = entriesOf(input);
  const writer = new AvroWriter();
  const writeEntry = entryWriter(writer, input.spec);
  const blocks: AvroBlock[] = [];
  let records = 0;
  for (const entry of entries) {
    checkFile(input, entry.file);
    writeEntry(entry);
    records++;
    if (writer.length < BLOCK_BYTES) continue;
    blocks.push({ records, bytes: writer.take() });
    records = 0;
  }
  if (records > 0) blocks.push({ records, bytes: writer.take() });
  const bytes = await encodeContainer(manifestEntrySchema(input.spec), headerOf(input), blocks);
  const rawBytes = blocks.reduce((sum, block) => sum + block.bytes.length, 0);
  return { bytes, manifest: manifestFileOf(input, entries, bytes.length), entries, rawBytes };
}

function entriesOf(input: ManifestToWrite): ManifestEntry[] {
  const { snapshotId, sequenceNumber } = input;
  return [
    ...input.added.map((file) => ({
      status: EntryStatus.added,
      file: { ...file, snapshotId, sequenceNumber, fileSequenceNumber: sequenceNumber },
    })),
    ...input.existing.map((file) => ({ status: EntryStatus.existing, file })),
    ...input.deleted.map((file) => ({ status: EntryStatus.deleted, file: { ...file, snapshotId } })),
  ];
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

function manifestFileOf(input: ManifestToWrite, entries: readonly ManifestEntry[], length: number): ManifestFile {
  const counts = [0, 0, 0];
  const rows = [0, 0, 0];
  const summaries = fieldSummaries(input.spec);
  let minSequenceNumber = input.sequenceNumber;
  for (const { status, file } of entries) {
    counts[status]! += 1;
    rows[status]! += file.recordCount;
    summaries.add(file.partition);
    if (status !== EntryStatus.deleted) minSequenceNumber = Math.min(minSequenceNumber, file.sequenceNumber);
  }
  return {
    manifestPath: input.location,
    manifestLength: length,
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
  };
}

/** Writes entries in the field order of `manifestEntrySchema`. */
function entryWriter(writer: AvroWriter, spec: BoundSpec): (entry: ManifestEntry) => void {
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

  return ({ status, file }) => {
    const inherited = status === EntryStatus.added;
    writer.long(status);
    optional(file.snapshotId, long);
    optional(inherited ? undefined : file.sequenceNumber, long);
    optional(inherited ? undefined : file.fileSequenceNumber, long);
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

/** Properties of entries by field id, and by Avro name for files whose schema lost its ids. */
const ENTRY_FIELDS: readonly (readonly [id: number, name: string, property: string])[] = [
  [0, "status", "status"],
  [1, "snapshot_id", "snapshotId"],
  [3, "sequence_number", "sequenceNumber"],
  [4, "file_sequence_number", "fileSequenceNumber"],
  [2, "data_file", "file"],
  [134, "content", "content"],
  [100, "file_path", "filePath"],
  [101, "file_format", "fileFormat"],
  [102, "partition", "partition"],
  [103, "record_count", "recordCount"],
  [104, "file_size_in_bytes", "fileSizeBytes"],
  [108, "column_sizes", "columnSizes"],
  [109, "value_counts", "valueCounts"],
  [110, "null_value_counts", "nullValueCounts"],
  [137, "nan_value_counts", "nanValueCounts"],
  [125, "lower_bounds", "lowerBounds"],
  [128, "upper_bounds", "upperBounds"],
  [131, "key_metadata", "keyMetadata"],
  [132, "split_offsets", "splitOffsets"],
  [135, "equality_ids", "equalityIds"],
  [140, "sort_order_id", "sortOrderId"],
  [143, "referenced_data_file", "referencedDataFile"],
];
const PROPERTY_BY_ID = new Map(ENTRY_FIELDS.map(([id, , property]) => [id, property]));
const PROPERTY_BY_NAME = new Map(ENTRY_FIELDS.map(([, name, property]) => [name, property]));

/** What Avro gives for an entry; null fields are missing. */
interface RawEntry {
  readonly status: EntryStatus;
  readonly snapshotId?: number | bigint;
  readonly sequenceNumber?: number;
  readonly fileSequenceNumber?: number;
  readonly file: Omit<DataFile, "partition"> & { partition: Record<string, unknown> };
}

export interface ReadManifest {
  readonly entries: readonly ManifestEntry[];
  /** Size of the entries before compression. */
  readonly rawBytes: number;
}

/** Reads a manifest of version 1 or 2; what an entry leaves out is inherited from its place in the manifest list. */
export async function decodeManifest(
  bytes: Uint8Array,
  manifest: ManifestFile,
  spec: BoundSpec,
): Promise<ReadManifest> {
  const { metadata, blocks } = await decodeContainer(bytes);
  const readPartition = partitionReader(spec);
  const schema = JSON.parse(metadata.get("avro.schema") ?? "null") as AvroSchema;
  const decode = compileDecoder(schema, (field, record) =>
    record === "partition" ? readPartition.nameOf(field) : propertyOf(field),
  );
  const entries: ManifestEntry[] = [];
  let rawBytes = 0;
  for (const block of blocks) {
    const reader = new AvroReader(block.bytes);
    for (let n = 0; n < block.records; n++) {
      const raw = decode(reader) as RawEntry;
      entries.push(inherit(raw, readPartition.read(raw.file.partition), manifest));
    }
    if (reader.remaining !== 0) throw new LakeError("corrupt", `${manifest.manifestPath} has bytes after its entries`);
    rawBytes += block.bytes.length;
  }
  return { entries, rawBytes };
}

function propertyOf(field: AvroField): string | undefined {
  const id = field["field-id"];
  return id === undefined ? PROPERTY_BY_NAME.get(field.name) : PROPERTY_BY_ID.get(id);
}

/** Specification, "Sequence Number Inheritance": null means "of the snapshot that added the manifest". */
function inherit(raw: RawEntry, partition: Partition, manifest: ManifestFile): ManifestEntry {
  const { status, file } = raw;
  const inheritable = status === EntryStatus.added || manifest.sequenceNumber === 0;
  const sequenceNumber = raw.sequenceNumber ?? (inheritable ? manifest.sequenceNumber : undefined);
  if (sequenceNumber === undefined) {
    throw new LakeError("corrupt", `${manifest.manifestPath} leaves out a sequence number that cannot be inherited`);
  }
  const live: LiveFile = {
    ...(file as unknown as DataFile),
    content: file.content ?? FileContent.data,
    fileFormat: file.fileFormat.toUpperCase() as FileFormat,
    specId: manifest.specId,
    partition,
    sequenceNumber,
    fileSequenceNumber: raw.fileSequenceNumber ?? (inheritable ? manifest.sequenceNumber : sequenceNumber),
    snapshotId: BigInt(raw.snapshotId ?? manifest.addedSnapshotId),
  };
  return { status, file: live };
}
