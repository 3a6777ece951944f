import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import avro from "avsc";
import { describe, expect, it } from "vitest";
import type { PrimitiveType, Schema } from "../metadata/schema.ts";
import { parseTableMetadata } from "../metadata/parse-table-metadata.ts";
import { currentSnapshot, type TableMetadata } from "../metadata/table-metadata.ts";
import { bindSpec, boundSpec } from "../transform/bound-spec.ts";
import { decodeContainer } from "./avro-container.ts";
import { FileContent, type DataFile, type LiveFile, type PartitionValue } from "./data-file.ts";
import { decodeManifest } from "./decode-manifest.ts";
import { encodeManifest, type ManifestToWrite } from "./encode-manifest.ts";
import { EntryStatus } from "./manifest-entry.ts";
import { ManifestContent, type ManifestFile } from "./manifest-file.ts";
import { decodeManifestList, encodeManifestList } from "./manifest-list.ts";

const PARTITION_TYPES: readonly [PrimitiveType, PartitionValue][] = [
  ["boolean", true],
  ["int", -3],
  ["long", 2n ** 62n],
  ["float", 1.5],
  ["double", -0.1],
  ["date", 20_000],
  ["time", 86_399_999_999],
  ["timestamp", -1],
  ["timestamptz", 1_762_068_600_000_000],
  ["string", "ü/😀"],
  ["uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7"],
  ["binary", Buffer.from([0, 255])],
  ["fixed[3]", Buffer.from([1, 2, 3])],
  ["decimal(9,2)", -150n],
  ["decimal(38,0)", 10n ** 37n],
];

const schema: Schema = {
  type: "struct",
  "schema-id": 3,
  fields: PARTITION_TYPES.map(([type], n) => ({ id: n + 1, name: `c${n}`, required: false, type })),
};
const spec = bindSpec(
  {
    "spec-id": 7,
    fields: PARTITION_TYPES.map((_, n) => ({
      "source-id": n + 1,
      "field-id": 1000 + n,
      name: n === 0 ? "1st-field" : `p${n}`,
      transform: "identity",
    })),
  },
  [schema],
);
const fullPartition = Object.fromEntries(spec.fields.map((field, n) => [field.name, PARTITION_TYPES[n]![1]]));
const emptyPartition = Object.fromEntries(spec.fields.map((field) => [field.name, null]));

const full: DataFile = {
  content: FileContent.data,
  filePath: "file:///w/t/data/ü.parquet",
  fileFormat: "PARQUET",
  specId: 7,
  partition: fullPartition,
  recordCount: 2 ** 40,
  fileSizeBytes: 2 ** 45 + 1,
  columnSizes: new Map([[1, 2 ** 33]]),
  valueCounts: new Map([
    [1, 10],
    [2, 0],
  ]),
  nullValueCounts: new Map([[1, 0]]),
  nanValueCounts: new Map([[5, 1]]),
  lowerBounds: new Map([
    [1, Buffer.from([0])],
    [10, Buffer.from("ü")],
  ]),
  upperBounds: new Map(),
  keyMetadata: Buffer.from([9, 9]),
  splitOffsets: [4, 2 ** 35],
  sortOrderId: 2,
};
const bare: DataFile = {
  content: FileContent.data,
  filePath: "file:///w/t/data/b",
  fileFormat: "PARQUET",
  specId: 7,
  partition: {},
  recordCount: 0,
  fileSizeBytes: 1,
};
const live = (file: DataFile, sequenceNumber: number, snapshotId: bigint): LiveFile => ({
  ...file,
  sequenceNumber,
  fileSequenceNumber: sequenceNumber + 1,
  snapshotId,
});
const SNAPSHOT = 2n ** 62n + 1n;
const input: ManifestToWrite = {
  location: "file:///w/t/metadata/m.avro",
  content: ManifestContent.data,
  spec,
  schema,
  snapshotId: SNAPSHOT,
  sequenceNumber: 9,
  added: [full],
  existing: [live(bare, 3, 11n)],
  deleted: [live({ ...bare, filePath: "file:///w/t/data/c" }, 2, 12n)],
};

/** Maps that stayed encoded, as plain ones. */
function plain(file: LiveFile): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(file).map(([key, value]) => [
      key,
      value !== null &&
      typeof value === "object" &&
      "entries" in value &&
      !ArrayBuffer.isView(value) &&
      !Array.isArray(value)
        ? new Map(value as ReadonlyMap<number, unknown>)
        : value,
    ]),
  );
}

/** avsc with 64-bit integers as bigints: a reader that we did not write. */
async function readWithAvsc(bytes: Uint8Array): Promise<{ header: Record<string, Buffer>; rows: unknown[] }> {
  const long = avro.types.LongType.__with({
    fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const buffer = Buffer.alloc(8);
      buffer.writeBigInt64LE(value);
      return buffer;
    },
    fromJSON: BigInt,
    toJSON: Number,
    isValid: (value: unknown) => typeof value === "bigint",
    compare: (one: bigint, other: bigint) => (one < other ? -1 : one > other ? 1 : 0),
  });
  const decoder = new avro.streams.BlockDecoder({
    parseHook: (parsed) => avro.Type.forSchema(parsed, { registry: { long } }),
  });
  let header: Record<string, Buffer> = {};
  decoder.on(
    "metadata",
    (_type: unknown, _codec: unknown, found: { meta: Record<string, Buffer> }) => (header = found.meta),
  );
  const rows: unknown[] = [];
  for await (const row of Readable.from([Buffer.from(bytes)], { objectMode: false }).pipe(decoder)) rows.push(row);
  return { header, rows };
}

describe("a manifest", () => {
  it("comes back as it was written, sequence numbers inherited", async () => {
    const { bytes, manifest } = await encodeManifest(input);
    const entries = await decodeManifest(bytes, manifest, spec);
    expect(entries.map((entry) => ({ status: entry.status, file: plain(entry.file) }))).toEqual([
      {
        status: EntryStatus.added,
        file: { ...full, partition: fullPartition, sequenceNumber: 9, fileSequenceNumber: 9, snapshotId: SNAPSHOT },
      },
      { status: EntryStatus.existing, file: { ...input.existing[0], partition: emptyPartition } },
      { status: EntryStatus.deleted, file: { ...input.deleted[0], partition: emptyPartition, snapshotId: SNAPSHOT } },
    ]);
  });

  it("is the same bytes for the same input, and for maps that stayed encoded", async () => {
    const first = await encodeManifest(input);
    const again = await encodeManifest(input);
    expect(Buffer.compare(first.bytes, again.bytes)).toBe(0);
    const [read] = await decodeManifest(first.bytes, first.manifest, spec);
    const rewritten = await encodeManifest({ ...input, added: [read!.file] });
    expect(Buffer.compare(first.bytes, rewritten.bytes)).toBe(0);
  });

  it("says in its list entry what it holds", async () => {
    const { bytes, manifest } = await encodeManifest(input);
    expect(manifest).toMatchObject({
      manifestPath: input.location,
      manifestLength: bytes.length,
      specId: 7,
      content: ManifestContent.data,
      sequenceNumber: 9,
      minSequenceNumber: 3,
      addedSnapshotId: SNAPSHOT,
      addedFilesCount: 1,
      existingFilesCount: 1,
      deletedFilesCount: 1,
      addedRowsCount: 2 ** 40,
      existingRowsCount: 0,
    });
    expect(manifest.partitions?.[9]).toEqual({
      containsNull: true,
      containsNan: false,
      lowerBound: Buffer.from("ü/😀"),
      upperBound: Buffer.from("ü/😀"),
    });
  });

  it("is read by another Avro library, with field ids and null sequence numbers of added files", async () => {
    const { bytes } = await encodeManifest(input);
    const { header, rows } = await readWithAvsc(bytes);
    const text = (key: string) => header[key]?.toString();
    expect(text("format-version")).toBe("2");
    expect(text("content")).toBe("data");
    expect(text("partition-spec-id")).toBe("7");
    expect(JSON.parse(text("schema")!)).toEqual(schema);
    expect(JSON.parse(text("partition-spec")!)).toHaveLength(PARTITION_TYPES.length);
    const avroSchema = JSON.parse(text("avro.schema")!);
    expect(avroSchema.fields.map((field: { "field-id": number }) => field["field-id"])).toEqual([0, 1, 3, 4, 2]);
    const fileFields = avroSchema.fields[4].type.fields;
    expect(fileFields[3].type.fields[0]).toMatchObject({
      name: "_1st_x2Dfield",
      "field-id": 1000,
      "iceberg-field-name": "1st-field",
    });
    expect(rows).toMatchObject([
      { status: 1, snapshot_id: SNAPSHOT, sequence_number: null, file_sequence_number: null },
      { status: 0, snapshot_id: 11n, sequence_number: 3n, file_sequence_number: 4n },
      { status: 2, snapshot_id: SNAPSHOT, sequence_number: 2n, file_sequence_number: 3n },
    ]);
    expect(rows[0]).toMatchObject({
      data_file: {
        file_path: full.filePath,
        record_count: 2n ** 40n,
        partition: { p9: "ü/😀", p2: 2n ** 62n },
        lower_bounds: [
          { key: 1, value: Buffer.from([0]) },
          { key: 10, value: Buffer.from("ü") },
        ],
        split_offsets: [4n, 2n ** 35n],
      },
    });
  });

  it("takes only files of its own spec and content", async () => {
    const other = { ...bare, specId: 1 };
    const deletes = { ...bare, content: FileContent.positionDeletes };
    for (const file of [other, deletes]) {
      await expect(encodeManifest({ ...input, added: [file] })).rejects.toMatchObject({ kind: "invalid" });
    }
  });

  it("may be of many blocks", async () => {
    const added = Array.from({ length: 3000 }, (_, n) => ({ ...full, filePath: `file:///w/${n}` }));
    const { bytes, manifest } = await encodeManifest({ ...input, added });
    expect((await decodeContainer(bytes)).blocks.length).toBeGreaterThan(2);
    const entries = await decodeManifest(bytes, manifest, spec);
    expect(entries.map((entry) => entry.file.filePath).slice(0, 3000)).toEqual(added.map((file) => file.filePath));
    expect(entries[2999]!.file.lowerBounds?.get(10)).toEqual(Buffer.from("ü"));
    expect(entries[2999]!.file.lowerBounds?.get(11)).toBeUndefined();
    expect(entries[2999]!.file.valueCounts?.get(2)).toBe(0);
  });

  it("is corrupt when it is cut, damaged or something else", async () => {
    const { bytes, manifest } = await encodeManifest(input);
    const damaged = [bytes.slice(0, -1), bytes.slice(0, 10), Buffer.from("PAR1 not Avro at all"), new Uint8Array()];
    const flipped = Uint8Array.from(bytes);
    flipped[bytes.length - 30]! ^= 0xff;
    for (const wrong of [...damaged, flipped]) {
      await expect(decodeManifest(wrong, manifest, spec)).rejects.toMatchObject({ kind: "corrupt" });
    }
  });
});

describe("a manifest list", () => {
  const manifest = (n: number): ManifestFile => ({
    manifestPath: `file:///w/t/metadata/${n}.avro`,
    manifestLength: 10 + n,
    specId: n,
    content: ManifestContent.deletes,
    sequenceNumber: n,
    minSequenceNumber: 1,
    addedSnapshotId: SNAPSHOT + BigInt(n),
    addedFilesCount: 1,
    existingFilesCount: 2,
    deletedFilesCount: 3,
    addedRowsCount: 4,
    existingRowsCount: 5,
    deletedRowsCount: 6,
    partitions: [
      { containsNull: false, containsNan: true, lowerBound: Buffer.from([1]), upperBound: Buffer.from([2]) },
      { containsNull: true },
    ],
  });

  it("comes back as it was written", async () => {
    const manifests = [manifest(1), { ...manifest(2), partitions: [], keyMetadata: Buffer.from([7]) }];
    const bytes = await encodeManifestList({ snapshotId: SNAPSHOT, sequenceNumber: 2 }, manifests);
    expect(await decodeManifestList(bytes)).toEqual(manifests);
    expect(await decodeManifestList(await encodeManifestList({ snapshotId: 1n, sequenceNumber: 1 }, []))).toEqual([]);
  });

  it("is read by another Avro library", async () => {
    const bytes = await encodeManifestList({ snapshotId: 5n, parentSnapshotId: 4n, sequenceNumber: 2 }, [manifest(1)]);
    const { header, rows } = await readWithAvsc(bytes);
    expect(header["parent-snapshot-id"]?.toString()).toBe("4");
    expect(rows).toMatchObject([
      { manifest_path: manifest(1).manifestPath, added_snapshot_id: SNAPSHOT + 1n, content: 1 },
    ]);
  });
});

interface GoldenTable {
  readonly metadata: string;
  readonly files: Readonly<Record<string, string>>;
}

async function goldenTable(version: "v1" | "v2"): Promise<{ metadata: TableMetadata; get(location: string): Buffer }> {
  const text = await readFile(new URL("../../test/golden/pyiceberg-tables.json", import.meta.url), "utf8");
  const { metadata, files } = (JSON.parse(text) as { tables: Record<string, GoldenTable> }).tables[version]!;
  return {
    metadata: parseTableMetadata(metadata, `golden ${version}`),
    get: (location) => Buffer.from(files[location]!, "base64"),
  };
}

describe.each(["v1", "v2"] as const)("a %s table that PyIceberg wrote", (version) => {
  it("is read with its deleted, added and rewritten files", async () => {
    const { metadata, get } = await goldenTable(version);
    const manifests = await decodeManifestList(get(currentSnapshot(metadata)!["manifest-list"]!));
    const entries = await Promise.all(
      manifests.map((manifest) =>
        decodeManifest(get(manifest.manifestPath), manifest, boundSpec(metadata, manifest.specId)),
      ),
    );
    const sequenced = (number: number) => (version === "v1" ? 0 : number);
    const partition = { "at-day": Date.UTC(2026, 10, 2) / 86_400_000, name_b: 1, d: -150n };
    expect(entries.flat()).toMatchObject([
      {
        status: EntryStatus.deleted,
        file: { sequenceNumber: sequenced(1), partition: { "at-day": null, name_b: null, d: null } },
      },
      {
        status: EntryStatus.added,
        file: { sequenceNumber: sequenced(2), fileSequenceNumber: sequenced(2), partition },
      },
      {
        status: EntryStatus.existing,
        file: { sequenceNumber: sequenced(1), recordCount: 1, fileFormat: "PARQUET", partition },
      },
    ]);
    expect(manifests.map((manifest) => manifest.addedSnapshotId)).toEqual([
      currentSnapshot(metadata)!["snapshot-id"],
      entries[1]![0]!.file.snapshotId,
      currentSnapshot(metadata)!["snapshot-id"],
    ]);
    const bounds = entries[1]![0]!.file.lowerBounds!;
    expect(Buffer.from(bounds.get(1)!).readBigInt64LE()).toBe(2n ** 60n + 1n);
    expect(Buffer.from(bounds.get(2)!).toString()).toBe("heart rate that ");
    expect([...bounds.keys()].sort()).toEqual([1, 2, 3, 4, 5]);
  });
});
