import { LakeError } from "../lake-error.ts";
import type { BoundSpec } from "../transform/bound-spec.ts";
import { AvroReader } from "./avro-binary.ts";
import { decodeContainer, type AvroBlock } from "./avro-container.ts";
import { compileDecoder, type AvroField, type AvroSchema } from "./avro-decoder.ts";
import { FileContent, type FileFormat, type LiveFile, type Partition } from "./data-file.ts";
import { EntryStatus, type ManifestEntry } from "./manifest-entry.ts";
import type { ManifestFile } from "./manifest-file.ts";
import { partitionReader } from "./partition-codec.ts";

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
  [142, "first_row_id", "firstRowId"],
  [143, "referenced_data_file", "referencedDataFile"],
  [144, "content_offset", "contentOffset"],
  [145, "content_size_in_bytes", "contentSizeBytes"],
];
const PROPERTY_BY_ID = new Map(ENTRY_FIELDS.map(([id, , property]) => [id, property]));
const PROPERTY_BY_NAME = new Map(ENTRY_FIELDS.map(([, name, property]) => [name, property]));

/** What Avro gives for an entry; null fields are missing. */
interface RawEntry {
  readonly status: EntryStatus;
  readonly snapshotId?: number | bigint;
  readonly sequenceNumber?: number;
  readonly fileSequenceNumber?: number;
  readonly file: Mutable<Omit<LiveFile, "partition">> & { partition: Record<string, unknown> };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads a manifest of version 1 or 2; what an entry leaves out is inherited from its place in the manifest list. */
export async function decodeManifest(
  bytes: Uint8Array,
  manifest: ManifestFile,
  spec: BoundSpec,
): Promise<ManifestEntry[]> {
  const { metadata, blocks } = await decodeContainer(bytes);
  return decodeEntries(JSON.parse(metadata.get("avro.schema") ?? "null") as AvroSchema, blocks, manifest, spec);
}

/** The entries of blocks that are taken out of their container. */
export function decodeEntries(
  schema: AvroSchema,
  blocks: readonly AvroBlock[],
  manifest: ManifestFile,
  spec: BoundSpec,
): ManifestEntry[] {
  const readPartition = partitionReader(spec);
  const decode = compileDecoder(schema, (field, record) =>
    record === "partition" ? readPartition.nameOf(field) : propertyOf(field),
  );
  const entries: ManifestEntry[] = [];
  for (const block of blocks) {
    const reader = new AvroReader(block.bytes);
    for (let n = 0; n < block.records; n++) {
      const raw = decode(reader) as RawEntry;
      entries.push({ status: raw.status, file: inherit(raw, readPartition.read(raw.file.partition), manifest) });
    }
    if (reader.remaining !== 0) throw new LakeError("corrupt", `${manifest.manifestPath} has bytes after its entries`);
  }
  return entries;
}

function propertyOf(field: AvroField): string | undefined {
  const id = field["field-id"];
  return id === undefined ? PROPERTY_BY_NAME.get(field.name) : PROPERTY_BY_ID.get(id);
}

/**
 * Specification, "Sequence Number Inheritance": null means "of the snapshot that added the manifest". The decoded
 * record itself becomes the file: there are many of them.
 */
function inherit(raw: RawEntry, partition: Partition, manifest: ManifestFile): LiveFile {
  const { status, file } = raw;
  const inheritable = status === EntryStatus.added || manifest.sequenceNumber === 0;
  const sequenceNumber = raw.sequenceNumber ?? (inheritable ? manifest.sequenceNumber : undefined);
  if (sequenceNumber === undefined) {
    throw new LakeError("corrupt", `${manifest.manifestPath} leaves out a sequence number that cannot be inherited`);
  }
  file.content ??= FileContent.data;
  file.fileFormat = file.fileFormat.toUpperCase() as FileFormat;
  file.specId = manifest.specId;
  file.partition = partition;
  file.sequenceNumber = sequenceNumber;
  file.fileSequenceNumber = raw.fileSequenceNumber ?? (inheritable ? manifest.sequenceNumber : sequenceNumber);
  file.snapshotId = BigInt(raw.snapshotId ?? manifest.addedSnapshotId);
  return file as unknown as LiveFile;
}
