import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { LakeError } from "../lake-error.ts";
import { stringifyLakeJson } from "./json.ts";
import { nextMetadataLocation, readMetadata } from "./metadata-file.ts";
import { newTableMetadata } from "./new-table.ts";
import { parseTableMetadata } from "./parse-table-metadata.ts";
import { createTableRequest } from "./table-definition.ts";

const LOCATION = "file:///w/t/metadata/00000-a.metadata.json";

const metadata = newTableMetadata({
  ...createTableRequest({
    columns: [{ name: "id", type: "long", required: true }],
    identity: ["id"],
    partition: [],
    sort: [],
    properties: {},
  }),
  location: "file:///w/t",
  uuid: "6f9c4a70-7b0e-4d39-9c5a-5a6f0a4b8c11",
  nowMs: 1_700_000_000_000,
});

function without(key: string): string {
  const copy: Record<string, unknown> = { ...metadata };
  delete copy[key];
  return stringifyLakeJson(copy);
}

describe("parseTableMetadata", () => {
  it("reads what was written, plain or compressed, whatever the name says", async () => {
    const text = stringifyLakeJson(metadata);
    expect(await readMetadata(Buffer.from(text), LOCATION)).toEqual(metadata);
    expect(await readMetadata(gzipSync(text), LOCATION)).toEqual(metadata);
  });

  it("reads a version 1 table", () => {
    const v1 = `{"format-version":1,"table-uuid":"u","location":"s3://b/t","last-updated-ms":1602638573874,
      "last-column-id":3,"schema":{"type":"struct","fields":[{"id":1,"name":"x","required":true,"type":"long"}]},
      "partition-spec":[{"name":"x","transform":"identity","source-id":1}],"properties":{},
      "current-snapshot-id":-1,"snapshots":[{"snapshot-id":1925,"timestamp-ms":1602638573822}]}`;
    expect(() => parseTableMetadata(v1, LOCATION)).toThrow("snapshots[0].manifest-list: is missing");
    const read = parseTableMetadata(v1.replace("573822}", `573822,"manifest-list":"s3://b/m.avro"}`), LOCATION);
    expect(read["current-snapshot-id"]).toBeUndefined();
    expect(read.schemas).toMatchObject([{ "schema-id": 0 }]);
    expect(read["partition-specs"]).toMatchObject([{ "spec-id": 0, fields: [{ "field-id": 1000 }] }]);
    expect(read["sort-orders"]).toEqual([{ "order-id": 0, fields: [] }]);
    expect(read.snapshots).toMatchObject([{ "snapshot-id": 1925n, "sequence-number": 0 }]);
  });

  it("gives a table with a current snapshot its main branch", () => {
    const snapshot = { "snapshot-id": 5n, "sequence-number": 1, "timestamp-ms": 1, "manifest-list": "m" };
    const text = stringifyLakeJson({
      ...metadata,
      "last-sequence-number": 1,
      refs: undefined,
      "current-snapshot-id": 5n,
      snapshots: [snapshot],
    });
    expect(parseTableMetadata(text, LOCATION).refs).toEqual({ main: { type: "branch", "snapshot-id": 5n } });
  });

  it("keeps fields that it does not know", () => {
    const text = stringifyLakeJson({ ...metadata, "encryption-keys": [{ "key-id": "k" }] });
    expect(parseTableMetadata(text, LOCATION)).toMatchObject({ "encryption-keys": [{ "key-id": "k" }] });
  });

  it.each([
    ["location", without("location")],
    ["schemas", without("schemas")],
    ["table-uuid", without("table-uuid")],
    ["last-sequence-number", without("last-sequence-number")],
    ["format-version", without("format-version")],
    ["current-schema-id", stringifyLakeJson({ ...metadata, "current-schema-id": 4 })],
    ["default-spec-id", stringifyLakeJson({ ...metadata, "default-spec-id": 4 })],
    ["current-snapshot-id", stringifyLakeJson({ ...metadata, "current-snapshot-id": 4n })],
    ["snapshots[0].snapshot-id", stringifyLakeJson({ ...metadata, snapshots: [{ "snapshot-id": "4" }] })],
    ["refs.x.type", stringifyLakeJson({ ...metadata, refs: { x: { "snapshot-id": 1n, type: "twig" } } })],
    ["properties.a", stringifyLakeJson({ ...metadata, properties: { a: 1 } })],
    ["schemas[0].fields[0].type", stringifyLakeJson(metadata).replace(`"type":"long"`, `"type":"lang"`)],
    ["body", "null"],
    ["not valid JSON", "{"],
  ])("names the place and the file when %s is broken", (place, text) => {
    const read = (): unknown => parseTableMetadata(text, LOCATION);
    expect(read).toThrow(LakeError);
    expect(read).toThrow(`metadata file ${LOCATION}: ${place}`);
  });

  it("says that a version is not supported", () => {
    const text = stringifyLakeJson({ ...metadata, "format-version": 9 });
    expect(() => parseTableMetadata(text, LOCATION)).toThrow("format-version 9 is not supported");
  });

  it("refuses damaged gzip data", async () => {
    const bytes = gzipSync(stringifyLakeJson(metadata)).subarray(0, 100);
    await expect(readMetadata(bytes, LOCATION)).rejects.toThrow("damaged gzip data");
  });
});

describe("nextMetadataLocation", () => {
  it("counts on from the file before, and starts at 0", () => {
    expect(nextMetadataLocation(metadata, undefined, "u")).toBe("file:///w/t/metadata/00000-u.metadata.json");
    expect(nextMetadataLocation(metadata, "file:/w/t/metadata/00041-z.gz.metadata.json", "u")).toBe(
      "file:///w/t/metadata/00042-u.metadata.json",
    );
    expect(nextMetadataLocation(metadata, "s3://b/v7.metadata.json", "u")).toContain("/00008-u.");
    expect(nextMetadataLocation(metadata, "s3://b/odd.json", "u")).toContain("/00000-u.");
  });

  it("names compressed files as Java does, and honours write.metadata.path", () => {
    const properties = { "write.metadata.compression-codec": "GZIP", "write.metadata.path": "file:///w/meta/" };
    expect(nextMetadataLocation({ ...metadata, properties }, undefined, "u")).toBe(
      "file:///w/meta/00000-u.gz.metadata.json",
    );
  });
});
