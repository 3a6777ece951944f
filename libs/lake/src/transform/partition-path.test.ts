import { describe, expect, it } from "vitest";
import type { PartitionValue } from "../manifest/data-file.ts";
import type { PrimitiveType, Schema } from "../metadata/schema.ts";
import { bindSpec, partitionKey } from "./bound-spec.ts";
import { partitionPath } from "./partition-path.ts";

function specOf(type: PrimitiveType, transform: string, name = "p") {
  const schema: Schema = {
    type: "struct",
    "schema-id": 0,
    fields: [{ id: 1, name: "c", required: true, type }],
  };
  const fields = [{ "source-id": 1, "field-id": 1000, name, transform }];
  return bindSpec({ "spec-id": 0, fields }, [schema]);
}

describe("partition path", () => {
  it.each<[PrimitiveType, string, PartitionValue, string]>([
    ["timestamptz", "year", 47, "p=2017"],
    ["timestamptz", "month", 574, "p=2017-11"],
    ["timestamptz", "month", -1, "p=1969-12"],
    ["timestamptz", "day", 17486, "p=2017-11-16"],
    ["timestamptz", "hour", 17486 * 24 + 5, "p=2017-11-16-05"],
    ["timestamptz", "hour", -1, "p=1969-12-31-23"],
    ["timestamptz", "day", null, "p=null"],
    ["string", "identity", "heart/rate=1 ü~*", "p=heart%2Frate%3D1+%C3%BC%7E*"],
    ["string", "bucket[8]", 3, "p=3"],
    ["string", "truncate[7]", "2026-11", "p=2026-11"],
    ["date", "identity", -1, "p=1969-12-31"],
    ["timestamp", "identity", 1510871468000001, "p=2017-11-16T22%3A31%3A08.000001"],
    ["timestamptz", "identity", 1510871468120000, "p=2017-11-16T22%3A31%3A08.120Z"],
    ["timestamptz", "identity", -1, "p=1969-12-31T23%3A59%3A59.999999Z"],
    ["decimal(9,2)", "identity", -5n, "p=-0.05"],
    ["decimal(9,0)", "identity", 12n, "p=12"],
    ["boolean", "identity", true, "p=true"],
    ["binary", "identity", Uint8Array.of(255, 254), "p=%2F%2F4%3D"],
  ])("%s %s %s", (type, transform, value, path) => {
    expect(partitionPath(specOf(type, transform), { p: value })).toBe(path);
  });

  it("is empty without fields", () => {
    expect(partitionPath({ specId: 0, fields: [] }, {})).toBe("");
  });
});

describe("partition key", () => {
  it("is the same for the same values only", () => {
    const spec = specOf("string", "identity");
    const keys = ["null", null, "", "1", 1, 1n, true, Uint8Array.of(1), NaN].map((p) => partitionKey(spec, { p }));
    expect(new Set(keys).size).toBe(keys.length);
    expect(partitionKey(spec, {})).toBe(partitionKey(spec, { p: null }));
  });
});
