import { LakeError } from "../lake-error.ts";
import { encodeContainer, decodeContainer } from "./avro-container.ts";
import { AvroReader, AvroWriter } from "./avro-binary.ts";
import { avroSchemaOf, compileDecoder, type AvroField } from "./avro-decoder.ts";
import { MANIFEST_FILE_SCHEMA } from "./avro-schema.ts";
import { ManifestContent, type FieldSummary, type ManifestFile } from "./manifest-file.ts";

export interface ManifestListHeader {
  readonly snapshotId: bigint;
  readonly parentSnapshotId?: bigint;
  readonly sequenceNumber: number;
}

/** Writes a version 2 manifest list. */
export async function encodeManifestList(
  header: ManifestListHeader,
  manifests: readonly ManifestFile[],
): Promise<Uint8Array> {
  const writer = new AvroWriter();
  for (const manifest of manifests) writeManifestFile(writer, manifest);
  const blocks = manifests.length === 0 ? [] : [{ records: manifests.length, bytes: writer.take() }];
  const metadata = {
    "snapshot-id": header.snapshotId.toString(),
    "parent-snapshot-id": header.parentSnapshotId?.toString() ?? "null",
    "sequence-number": String(header.sequenceNumber),
    "format-version": "2",
  };
  return encodeContainer(MANIFEST_FILE_SCHEMA, metadata, blocks);
}

/** In the field order of MANIFEST_FILE_SCHEMA. */
function writeManifestFile(writer: AvroWriter, manifest: ManifestFile): void {
  writer.string(manifest.manifestPath);
  writer.long(manifest.manifestLength);
  writer.long(manifest.specId);
  writer.long(manifest.content);
  writer.long(manifest.sequenceNumber);
  writer.long(manifest.minSequenceNumber);
  writer.long(manifest.addedSnapshotId);
  for (const count of countsOf(manifest)) writer.long(count);
  const { partitions, keyMetadata } = manifest;
  writer.long(partitions === undefined ? 0 : 1);
  if (partitions !== undefined) writeSummaries(writer, partitions);
  writeOptionalBytes(writer, keyMetadata);
}

function countsOf(manifest: ManifestFile): number[] {
  const counts = [
    manifest.addedFilesCount,
    manifest.existingFilesCount,
    manifest.deletedFilesCount,
    manifest.addedRowsCount,
    manifest.existingRowsCount,
    manifest.deletedRowsCount,
  ];
  return counts.map((count) => {
    if (count !== undefined) return count;
    // Version 2 requires the counts. A version 1 list may lack them, but such tables are not written here.
    throw new LakeError("invalid", `manifest ${manifest.manifestPath} has no file counts`);
  });
}

function writeSummaries(writer: AvroWriter, summaries: readonly FieldSummary[]): void {
  if (summaries.length > 0) writer.long(summaries.length);
  for (const { containsNull, containsNan, lowerBound, upperBound } of summaries) {
    writer.boolean(containsNull);
    writer.long(containsNan === undefined ? 0 : 1);
    if (containsNan !== undefined) writer.boolean(containsNan);
    writeOptionalBytes(writer, lowerBound);
    writeOptionalBytes(writer, upperBound);
  }
  writer.long(0);
}

function writeOptionalBytes(writer: AvroWriter, bytes: Uint8Array | undefined): void {
  writer.long(bytes === undefined ? 0 : 1);
  if (bytes !== undefined) writer.bytes(bytes);
}

/** Properties by field id; version 1 has other names for some of the same ids. */
const LIST_FIELDS: readonly (readonly [id: number, name: string, property: string])[] = [
  [500, "manifest_path", "manifestPath"],
  [501, "manifest_length", "manifestLength"],
  [502, "partition_spec_id", "specId"],
  [517, "content", "content"],
  [515, "sequence_number", "sequenceNumber"],
  [516, "min_sequence_number", "minSequenceNumber"],
  [503, "added_snapshot_id", "addedSnapshotId"],
  [504, "added_files_count", "addedFilesCount"],
  [505, "existing_files_count", "existingFilesCount"],
  [506, "deleted_files_count", "deletedFilesCount"],
  [512, "added_rows_count", "addedRowsCount"],
  [513, "existing_rows_count", "existingRowsCount"],
  [514, "deleted_rows_count", "deletedRowsCount"],
  [507, "partitions", "partitions"],
  [509, "contains_null", "containsNull"],
  [518, "contains_nan", "containsNan"],
  [510, "lower_bound", "lowerBound"],
  [511, "upper_bound", "upperBound"],
  [519, "key_metadata", "keyMetadata"],
];
const PROPERTY_BY_ID = new Map(LIST_FIELDS.map(([id, , property]) => [id, property]));
const PROPERTY_BY_NAME = new Map(LIST_FIELDS.map(([, name, property]) => [name, property]));

type RawManifestFile = Partial<ManifestFile> & Pick<ManifestFile, "manifestPath" | "manifestLength" | "specId">;

const COUNTS = [
  ["added", "addedFilesCount", "addedRowsCount"],
  ["existing", "existingFilesCount", "existingRowsCount"],
  ["deleted", "deletedFilesCount", "deletedRowsCount"],
] as const;

/** Avro's types are those of the file's own schema: what was read may be anything. */
function checkManifestFile(raw: RawManifestFile): void {
  const fail = (why: string): LakeError => new LakeError("corrupt", `an entry of the manifest list ${why}`);
  if (typeof raw.manifestPath !== "string" || raw.manifestPath === "") throw fail("has no manifest_path");
  const numbers = ["manifestLength", "specId", "content", "sequenceNumber", "minSequenceNumber"] as const;
  for (const name of [...numbers, ...COUNTS.flatMap(([, files, rows]) => [files, rows])]) {
    const value: unknown = raw[name];
    const optional = name !== "manifestLength" && name !== "specId";
    if (value === undefined && optional) continue;
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      throw fail(`(${raw.manifestPath}) has a ${name} that is none`);
  }
  if ((raw.content ?? 0) > ManifestContent.deletes) throw fail(`(${raw.manifestPath}) holds neither data nor deletes`);
  for (const [what, files, rows] of COUNTS) {
    if (raw[files] === 0 && (raw[rows] ?? 0) > 0)
      throw fail(`(${raw.manifestPath}) has ${what} rows and no ${what} files`);
  }
  const id: unknown = raw.addedSnapshotId;
  if (id !== undefined && typeof id !== "bigint" && typeof id !== "number") throw fail("has no added_snapshot_id");
  if (raw.partitions !== undefined && !Array.isArray(raw.partitions)) throw fail("has partitions that are none");
}

/** Reads a manifest list of version 1 or 2. Version 1 knows no deletes and no sequence numbers: they count as 0. */
export async function decodeManifestList(bytes: Uint8Array): Promise<ManifestFile[]> {
  const { metadata, blocks } = await decodeContainer(bytes);
  const decode = compileDecoder(avroSchemaOf(metadata), propertyOf);
  const manifests: ManifestFile[] = [];
  for (const block of blocks) {
    const reader = new AvroReader(block.bytes);
    for (let n = 0; n < block.records; n++) {
      const raw = decode(reader) as RawManifestFile;
      checkManifestFile(raw);
      manifests.push({
        ...raw,
        content: raw.content ?? ManifestContent.data,
        sequenceNumber: raw.sequenceNumber ?? 0,
        minSequenceNumber: raw.minSequenceNumber ?? 0,
        addedSnapshotId: BigInt(raw.addedSnapshotId ?? 0),
      });
    }
    if (reader.remaining !== 0) throw new LakeError("corrupt", "it has bytes after its entries");
  }
  return manifests;
}

function propertyOf(field: AvroField): string | undefined {
  const id = field["field-id"];
  return id === undefined ? PROPERTY_BY_NAME.get(field.name) : PROPERTY_BY_ID.get(id);
}
