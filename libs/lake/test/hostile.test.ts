import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isLakeError } from "../src/lake-error.ts";
import { AvroWriter } from "../src/manifest/avro-binary.ts";
import { encodeContainer } from "../src/manifest/avro-container.ts";
import { decodeManifestList, encodeManifestList } from "../src/manifest/manifest-list.ts";
import type { ManifestFile } from "../src/manifest/manifest-file.ts";
import type { LiveFile } from "../src/manifest/data-file.ts";
import { currentFiles } from "../src/commit/current-files.ts";
import { parseLakeJson, stringifyLakeJson } from "../src/metadata/json.ts";
import { goldenEnvironment, goldenTable } from "./golden-lake.ts";
import { openTamperedLake, type TamperedLake } from "./tampered-lake.ts";

/**
 * Tables that were damaged, or made by somebody who means harm. Each must end as a LakeError that names the file, soon
 * and in little memory; none as a crash, and none as rows.
 */

let lake: TamperedLake;
beforeAll(async () => {
  lake = await openTamperedLake();
});
afterAll(() => lake.close());

const SECONDS_MAX = 25;
const RSS_BYTES_MAX = 900 * 1024 * 1024;

async function expectRefusal(table: string, location: string, bytes: Uint8Array): Promise<void> {
  const [startMs, before] = [performance.now(), process.memoryUsage().rss];
  const outcome = await lake.read(table, new Map([[location, bytes]])).then(
    (rows) => `${rows.length} rows`,
    (error: unknown) => error,
  );
  if (!isLakeError(outcome, "corrupt", "unsupported", "invalid", "not_found"))
    throw new Error(`ended as ${String(outcome)}`);
  expect(outcome.message.length).toBeLessThan(2_000);
  expect(`${outcome.message} ${JSON.stringify(outcome.context)}`).toMatch(
    /metadata|avro|parquet|puffin|property|location/,
  );
  expect(performance.now() - startMs).toBeLessThan(SECONDS_MAX * 1000);
  expect(process.memoryUsage().rss - before).toBeLessThan(RSS_BYTES_MAX);
}

const table = await goldenTable("equality");
const snapshot = table.metadata.snapshots.find((one) => one["snapshot-id"] === table.metadata["current-snapshot-id"])!;
const LIST = snapshot["manifest-list"]!;

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- any shape is the point

/** The table's metadata with something changed. */
async function metadata(change: (json: Json) => void): Promise<Buffer> {
  const json = parseLakeJson((await lake.original(table.metadataLocation)).toString()) as Json;
  change(json);
  return Buffer.from(stringifyLakeJson(json));
}

const text = (content: string) => async (): Promise<Buffer> => Buffer.from(content);
const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const nestedType = (levels: number): unknown => {
  let type: unknown = "int";
  for (let n = 0; n < levels; n++)
    type = { type: "list", "element-id": 1000 + n, "element-required": false, element: type };
  return type;
};

describe("table metadata", () => {
  const cases: [string, () => Promise<Buffer>][] = [
    ["is empty", text("")],
    ["is no JSON", text("PAR1 but not really")],
    ["is a list", text("[]")],
    ["is null", text("null")],
    ["is a number", text("7")],
    ["nests a hundred thousand levels", text(deep(100_000))],
    ["ends in the middle", async () => (await lake.original(table.metadataLocation)).subarray(0, 900)],
    ["has a format version to come", () => metadata((json) => void (json["format-version"] = 4))],
    ["has a format version of text", () => metadata((json) => void (json["format-version"] = "2"))],
    ["has no location", () => metadata((json) => void delete json["location"])],
    ["has a location of numbers", () => metadata((json) => void (json["location"] = 7))],
    ["has schemas that are none", () => metadata((json) => void (json["schemas"] = { 0: {} }))],
    ["has a current schema that is not there", () => metadata((json) => void (json["current-schema-id"] = 99))],
    ["has a default spec that is not there", () => metadata((json) => void (json["default-spec-id"] = 99))],
    ["has a sort order that is not there", () => metadata((json) => void (json["default-sort-order-id"] = 99))],
    ["gives two columns one id", () => metadata((json) => void (json["schemas"][0].fields[1].id = 1))],
    ["gives a column the id 0", () => metadata((json) => void (json["schemas"][0].fields[1].id = 0))],
    ["gives a column an id never assigned", () => metadata((json) => void (json["schemas"][0].fields[1].id = 77))],
    ["gives a column no name", () => metadata((json) => void (json["schemas"][0].fields[1].name = ""))],
    ["has a type that is none", () => metadata((json) => void (json["schemas"][0].fields[1].type = "number"))],
    [
      "has a decimal of 99 digits",
      () => metadata((json) => void (json["schemas"][0].fields[1].type = "decimal(99, 2)")),
    ],
    [
      "has a type of a thousand levels",
      () => metadata((json) => void (json["schemas"][0].fields[1].type = nestedType(150))),
    ],
    ["has a type to come", () => metadata((json) => void (json["schemas"][0].fields[2].type = "variant"))],
    ["has the type of another column", () => metadata((json) => void (json["schemas"][0].fields[2].type = "double"))],
    ["has a snapshot twice", () => metadata((json) => void json["snapshots"].push(json["snapshots"][0]))],
    ["has a current snapshot that is not there", () => metadata((json) => void (json["current-snapshot-id"] = 5n))],
    [
      "has a current snapshot of 80 bits",
      async () =>
        Buffer.from(
          (await metadata(() => undefined))
            .toString()
            .replace(/"current-snapshot-id":\d+/, '"current-snapshot-id":999999999999999999999999'),
        ),
    ],
    [
      "has a branch to nowhere",
      () => metadata((json) => void (json["refs"]["x"] = { "snapshot-id": 5n, type: "branch" })),
    ],
    ["has a reference of a kind to come", () => metadata((json) => void (json["refs"]["main"].type = "twig"))],
    ["has a sequence number that is behind", () => metadata((json) => void (json["last-sequence-number"] = 1))],
    [
      "has snapshots without manifest lists",
      () => metadata((json) => json["snapshots"].forEach((one: Json) => delete one["manifest-list"])),
    ],
    [
      "leads out of the warehouse",
      () => metadata((json) => json["snapshots"].forEach((one: Json) => (one["manifest-list"] = "file:///etc/passwd"))),
    ],
    [
      "climbs out of the warehouse",
      () =>
        metadata((json) =>
          json["snapshots"].forEach((one: Json) => (one["manifest-list"] = "file:/golden/../etc/passwd")),
        ),
    ],
    [
      "leads to another machine",
      () =>
        metadata((json) =>
          json["snapshots"].forEach((one: Json) => (one["manifest-list"] = "file://elsewhere/golden/x.avro")),
        ),
    ],
    [
      "leads to what is not there",
      () =>
        metadata((json) =>
          json["snapshots"].forEach((one: Json) => (one["manifest-list"] = "file:/golden/db/none.avro")),
        ),
    ],
    [
      "partitions by a column that never was",
      () => metadata((json) => void (json["partition-specs"][0].fields[0]["source-id"] = 3000)),
    ],
    ["has properties of numbers", () => metadata((json) => void (json["properties"] = { a: 1 }))],
    [
      "has a name mapping that is none",
      () => metadata((json) => void (json["properties"]["schema.name-mapping.default"] = "{}")),
    ],
    ["is damaged gzip", async () => gzipSync(await lake.original(table.metadataLocation)).fill(7, 100, 120)],
    ["is gzip that ends early", async () => gzipSync(await lake.original(table.metadataLocation)).subarray(0, 300)],
    ["unpacks to 130 MB", async () => gzipSync(Buffer.alloc(130 * 1024 * 1024), { level: 1 })],
  ];
  test.each(cases)("that %s is refused", async (_, make) => {
    await expectRefusal("equality", table.metadataLocation, await make());
  });

  test("with names that mean something to JavaScript is read as any other", async () => {
    const rows = await lake.read("equality", new Map());
    const odd = await metadata((json) => {
      Object.defineProperty(json["properties"], "__proto__", { value: "x", enumerable: true });
      json["properties"]["constructor"] = "y";
      json["toString"] = "z";
    });
    expect(await lake.read("equality", new Map([[table.metadataLocation, odd]]))).toEqual(rows);
    expect(({} as Json)["x"]).toBeUndefined();
  });
});

/** An Avro file of a schema of our own making. */
async function avro(schema: unknown, write: (writer: AvroWriter) => void, records = 1, header = {}): Promise<Buffer> {
  const writer = new AvroWriter();
  write(writer);
  return encodeContainer(schema, header, [{ records, bytes: writer.take() }]);
}

const record = (...fields: [id: number, name: string, type: unknown][]): unknown => ({
  type: "record",
  name: "r",
  fields: fields.map(([id, name, type]) => ({ name, type, "field-id": id })),
});

const MANY = 2 ** 40;
const magic = Buffer.from("Obj\x01", "latin1");
const varint = (value: number): Buffer => {
  const writer = new AvroWriter();
  writer.long(value);
  return writer.take();
};
const header = (codec: string): Buffer => {
  const writer = new AvroWriter();
  writer.long(2);
  for (const part of ["avro.schema", '"long"', "avro.codec", codec]) writer.string(part);
  writer.long(0);
  return Buffer.concat([magic, writer.take(), Buffer.alloc(16)]);
};
let nestedRecords: unknown = "long";
for (let n = 0; n < 500; n++) nestedRecords = { type: "array", items: nestedRecords };

const bomb = encodeContainer("long", {}, [{ records: 1, bytes: Buffer.alloc(260 * 1024 * 1024) }]);

describe.each(["manifest list", "manifest"])("a %s", (what) => {
  const cases: [string, () => Promise<Buffer>][] = [
    ["is empty", text("")],
    ["is no Avro", text("{}")],
    ["ends in its header", async () => header("null").subarray(0, 12)],
    ["promises a header without end", async () => Buffer.concat([magic, varint(MANY)])],
    ["promises a block without end", async () => Buffer.concat([header("null"), varint(1), varint(MANY)])],
    [
      "promises records without end",
      async () => Buffer.concat([header("null"), varint(MANY), varint(1), Buffer.alloc(17)]),
    ],
    [
      "has a negative number of records",
      async () => Buffer.concat([header("null"), varint(-5), varint(1), Buffer.alloc(17)]),
    ],
    ["is packed in a way that is not known", async () => header("snappy")],
    ["has a schema that is no JSON", async () => encodeContainer(undefined, { "avro.schema": "{" }, [])],
    ["has a schema that is a number", () => avro(7, (writer) => writer.long(1))],
    ["has a schema without fields", () => avro({ type: "record", name: "r" }, (writer) => writer.long(1))],
    [
      "has a schema that holds itself",
      () => avro({ type: "record", name: "r", fields: [{ name: "a", type: "r" }] }, (writer) => writer.long(1)),
    ],
    ["has a schema of 500 levels", () => avro(nestedRecords, (writer) => writer.long(1))],
    [
      "has a type that is not defined",
      () => avro(record([500, "manifest_path", "elsewhere"]), (writer) => writer.long(1)),
    ],
    [
      "has a fixed type of negative size",
      () => avro(record([500, "x", { type: "fixed", name: "f", size: -9 }]), (writer) => writer.long(1)),
    ],
    [
      "has a list of nothings without end",
      () =>
        avro(
          record([507, "partitions", { type: "array", items: "null" }]),
          (writer) => Array.from({ length: 1000 }, () => writer.long(900)),
          1,
        ),
    ],
    ["has none of the fields it needs", () => avro(record([9999, "x", "long"]), (writer) => writer.long(1))],
    [
      "has fields of other types",
      () =>
        avro(record([500, "manifest_path", "long"], [0, "status", "string"]), (writer) => {
          writer.long(0);
          writer.long(0);
        }),
    ],
    ["has more records than its blocks", () => avro(record([9999, "x", "long"]), (writer) => writer.long(1), 50)],
    ["inflates to 260 MB", () => bomb],
  ];
  test.each(cases)("that %s is refused", async (_, make) => {
    const bytes = Buffer.from(await make());
    if (what === "manifest list") return expectRefusal("equality", LIST, bytes);
    const [first, ...others] = await decodeManifestList(await lake.original(LIST));
    const list = await encodeManifestList(LIST_HEADER, [{ ...first!, manifestLength: bytes.length }, ...others]);
    await expectRefusals([
      [LIST, list],
      [first!.manifestPath, bytes],
    ]);
  });
});

const LIST_HEADER = { snapshotId: snapshot["snapshot-id"], sequenceNumber: snapshot["sequence-number"] };

async function expectRefusals(changed: [string, Uint8Array][]): Promise<void> {
  const read = lake.read("equality", new Map(changed));
  const outcome = await read.then(
    (rows) => `${rows.length} rows`,
    (error: unknown) => error,
  );
  if (!isLakeError(outcome, "corrupt", "unsupported", "invalid", "not_found"))
    throw new Error(`ended as ${String(outcome)}`);
  expect(outcome.message).toMatch(/\.(avro|parquet)/);
}

describe("an entry of the manifest list", () => {
  const cases: [string, (manifest: ManifestFile) => Partial<Record<keyof ManifestFile, unknown>>][] = [
    ["leads out of the warehouse", () => ({ manifestPath: "file:///etc/shadow" })],
    ["leads to what is not there", () => ({ manifestPath: "file:/golden/db/none.avro" })],
    ["leads to a list instead", () => ({ manifestPath: LIST })],
    ["gives another length", ({ manifestLength }) => ({ manifestLength: manifestLength + 1 })],
    ["gives a spec that is not there", () => ({ specId: 9 })],
    ["holds neither data nor deletes", () => ({ content: 5 })],
    ["takes deletes for data", ({ content }) => ({ content: 1 - content })],
    ["has rows in no files", () => ({ addedFilesCount: 0, existingFilesCount: 0, addedRowsCount: 7 })],
    ["has a negative number of files", () => ({ existingFilesCount: -1 })],
  ];
  test.each(cases)("that %s is refused", async (_, change) => {
    const manifests = await decodeManifestList(await lake.original(LIST));
    const changed = manifests.map((manifest) => ({ ...manifest, ...change(manifest) }) as ManifestFile);
    await expectRefusal("equality", LIST, await encodeManifestList(LIST_HEADER, changed));
  });
});

const { data, deletes } = await currentFiles(goldenEnvironment(), table);
const footer = (bytes: Buffer): Buffer => {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(bytes.length);
  trailer.write("PAR1", 4, "latin1");
  return Buffer.concat([Buffer.from("PAR1"), bytes, trailer]);
};

describe.each<[string, LiveFile]>([
  ["a data file", data[0]!],
  ["an equality delete file", deletes[0]!],
])("%s", (_, { filePath }) => {
  const whole = (): Promise<Buffer> => lake.original(filePath);
  const cases: [string, () => Promise<Buffer>][] = [
    ["is empty", text("")],
    ["is text", text("id,p,v\n1,p0,first\n".repeat(20))],
    ["is all zeros", async () => Buffer.alloc(4096)],
    ["ends early", async () => (await whole()).subarray(0, -40)],
    [
      "has lost its middle",
      async () => {
        const bytes = await whole();
        return Buffer.concat([bytes.subarray(0, 20), bytes.subarray(200)]);
      },
    ],
    [
      "has a footer longer than itself",
      async () => {
        const bytes = await whole();
        bytes.writeUInt32LE(0xffff_fff0, bytes.length - 8);
        return bytes;
      },
    ],
    [
      "is encrypted",
      async () => {
        const bytes = await whole();
        bytes.write("PARE", bytes.length - 4, "latin1");
        return bytes;
      },
    ],
    ["has a footer of zeros", async () => footer(Buffer.alloc(100))],
    ["has a footer of ones", async () => footer(Buffer.alloc(100, 0xff))],
    ["has a footer of structures without end", async () => footer(Buffer.alloc(5000, 0x1c))],
    [
      "has a footer of a billion columns",
      async () => footer(Buffer.from([0x15, 2, 0x19, 0xfc, 0x80, 0x94, 0xeb, 0xdc, 3])),
    ],
    ["has pages of nonsense", async () => (await whole()).fill(0xa5, 4, 60)],
    [
      "is another file",
      async () =>
        lake.original(
          data.find((file) => file.filePath !== filePath && file.recordCount !== data[0]!.recordCount)!.filePath,
        ),
    ],
  ];
  test.each(cases)("that %s is refused", async (_, make) => {
    await expectRefusal("equality", filePath, Buffer.from(await make()));
  });
});

describe("a deletion vector", () => {
  const puffin = async (): Promise<{ filePath: string; offset: number; size: number; bytes: Buffer }> => {
    const vectors = await goldenTable("vectors");
    const [file] = (await currentFiles(goldenEnvironment(), vectors)).deletes;
    const bytes = await lake.original(file!.filePath);
    return { filePath: file!.filePath, offset: file!.contentOffset!, size: file!.contentSizeBytes!, bytes };
  };
  const cases: [string, (bytes: Buffer, offset: number, size: number) => Buffer][] = [
    ["is empty", () => Buffer.alloc(0)],
    ["ends early", (bytes, offset) => bytes.subarray(0, offset + 10)],
    ["has another length", (bytes, offset) => bytes.fill(1, offset, offset + 4)],
    ["does not begin as one", (bytes, offset) => bytes.fill(1, offset + 4, offset + 8)],
    ["has another checksum", (bytes, offset, size) => bytes.fill(1, offset + size - 4, offset + size)],
    [
      "has other positions",
      (bytes, offset, size) => bytes.fill(bytes[offset + size - 6]! ^ 1, offset + size - 6, offset + size - 5),
    ],
  ];
  test.each(cases)("that %s is refused", async (_, change) => {
    const { filePath, offset, size, bytes } = await puffin();
    await expectRefusal("vectors", filePath, change(bytes, offset, size));
  });
});
