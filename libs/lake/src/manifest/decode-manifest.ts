import { LakeError } from "../lake-error.ts";
import type { BoundSpec } from "../transform/bound-spec.ts";
import { AvroReader } from "./avro-binary.ts";
import { decodeContainer, type AvroBlock } from "./avro-container.ts";
import { avroSchemaOf, compileDecoder, type AvroField, type AvroSchema, type NameField } from "./avro-decoder.ts";
import { FileContent, type FileFormat, type LiveFile, type Partition } from "./data-file.ts";
import { EntryStatus, type ManifestEntry } from "./manifest-entry.ts";
import { entryCheck, type RawEntry } from "./manifest-entry-check.ts";
import { ManifestContent, type ManifestFile } from "./manifest-file.ts";
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

/**
 * Reads a manifest of version 1 to 3; what an entry leaves out is inherited from its place in the manifest list.
 * @throws LakeError `corrupt`, `unsupported`
 */
export async function decodeManifest(
  bytes: Uint8Array,
  manifest: ManifestFile,
  spec: BoundSpec,
): Promise<ManifestEntry[]> {
  const { schema, blocks } = await manifestBlocks(bytes, manifest, spec);
  return decodeEntries(schema, blocks, manifest, spec);
}

/** A manifest's entries as they are encoded, for `decodeEntries`. @throws LakeError `corrupt`, `unsupported` */
export async function manifestBlocks(
  bytes: Uint8Array,
  manifest: ManifestFile,
  spec: BoundSpec,
): Promise<{ readonly schema: AvroSchema; readonly blocks: readonly AvroBlock[] }> {
  const { metadata, blocks } = await decodeContainer(bytes);
  checkHeader(metadata, manifest, spec);
  return { schema: avroSchemaOf(metadata), blocks };
}

/** Where the header says what the manifest was written by, it is what the table says (specification, "Manifests"). */
function checkHeader(metadata: ReadonlyMap<string, string>, manifest: ManifestFile, spec: BoundSpec): void {
  const content = metadata.get("content");
  const expected = manifest.content === ManifestContent.data ? "data" : "deletes";
  if (content !== undefined && content !== expected) throw corrupt(`it holds ${content}, its list says ${expected}`);
  const id = metadata.get("partition-spec-id");
  if (id !== undefined && Number(id) !== spec.specId)
    throw corrupt(`it is of spec ${id}, its list says ${spec.specId}`);
}

/** The entries of blocks that are taken out of their container. */
export function decodeEntries(
  schema: AvroSchema,
  blocks: readonly AvroBlock[],
  manifest: ManifestFile,
  spec: BoundSpec,
): ManifestEntry[] {
  const readPartition = partitionReader(spec);
  const nameField: NameField = (field, record) =>
    record === "partition" ? readPartition.nameOf(field) : propertyOf(field);
  const decode = compileDecoder(schema, nameField, { reused: RECORDS });
  const check = entryCheck(spec, manifest.content);
  const entries: ManifestEntry[] = [];
  for (const block of blocks) {
    const reader = new AvroReader(block.bytes);
    if (entries.length + block.records > ENTRIES_MAX) {
      throw new LakeError("unsupported", `it has more than ${ENTRIES_MAX} entries`);
    }
    for (let n = 0; n < block.records; n++) {
      const raw = decode(reader) as RawEntry;
      check(raw);
      entries.push({ status: raw.status, file: inherit(raw, readPartition.read(raw.file.partition), manifest) });
    }
    if (reader.remaining !== 0) throw corrupt("it has bytes after its entries");
  }
  return entries;
}

/** Entry, data file and partition: what comes of them is taken out at once. */
const RECORDS: ReadonlySet<string> = new Set(["", "file", "partition"]);

/** Far above what any writer puts into one manifest. */
const ENTRIES_MAX = 5_000_000;

function propertyOf(field: AvroField): string | undefined {
  const id = field["field-id"];
  return id === undefined ? PROPERTY_BY_NAME.get(field.name) : PROPERTY_BY_ID.get(id);
}

/** Specification, "Sequence Number Inheritance": null means "of the snapshot that added the manifest". */
function inherit(raw: RawEntry, partition: Partition, manifest: ManifestFile): LiveFile {
  const { status, file } = raw;
  const inheritable = status === EntryStatus.added || manifest.sequenceNumber === 0;
  const sequenceNumber = raw.sequenceNumber ?? (inheritable ? manifest.sequenceNumber : undefined);
  if (sequenceNumber === undefined) {
    throw corrupt("it leaves out a sequence number that cannot be inherited");
  }
  const own = {
    sequenceNumber,
    fileSequenceNumber: raw.fileSequenceNumber ?? (inheritable ? manifest.sequenceNumber : sequenceNumber),
    snapshotId: BigInt(raw.snapshotId ?? manifest.addedSnapshotId),
  };
  return fileOf(file, partition, manifest.specId, own);
}

type Inherited = Pick<LiveFile, "sequenceNumber" | "fileSequenceNumber" | "snapshotId">;

/**
 * The fields of most files in one piece: there are many of them, and an object that grows field by field costs its size
 * several times over. The rest is added where it is.
 */
function fileOf(raw: RawEntry["file"], partition: Partition, specId: number, own: Inherited): LiveFile {
  const file = {
    content: raw.content ?? FileContent.data,
    filePath: raw.filePath,
    fileFormat: raw.fileFormat === "PARQUET" ? "PARQUET" : (raw.fileFormat.toUpperCase() as FileFormat),
    specId,
    partition,
    recordCount: raw.recordCount,
    fileSizeBytes: raw.fileSizeBytes,
    sequenceNumber: own.sequenceNumber,
    fileSequenceNumber: own.fileSequenceNumber,
    snapshotId: own.snapshotId,
    columnSizes: raw.columnSizes,
    valueCounts: raw.valueCounts,
    nullValueCounts: raw.nullValueCounts,
    nanValueCounts: raw.nanValueCounts,
    lowerBounds: raw.lowerBounds,
    upperBounds: raw.upperBounds,
    splitOffsets: raw.splitOffsets,
    sortOrderId: raw.sortOrderId,
  } as LiveFile;
  for (const name of SELDOM) if (raw[name] !== undefined) Object.assign(file, { [name]: raw[name] });
  return file;
}

const SELDOM = [
  "keyMetadata",
  "equalityIds",
  "firstRowId",
  "referencedDataFile",
  "contentOffset",
  "contentSizeBytes",
] as const satisfies readonly (keyof LiveFile)[];

function corrupt(why: string): LakeError {
  return new LakeError("corrupt", why);
}
