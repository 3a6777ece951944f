import { describe, expect, it } from "vitest";
import type { PrimitiveType } from "../metadata/schema.ts";
import { eq, gt, isNull, lt, notNull, type Predicate } from "../scan/predicate.ts";
import { bindSpec } from "../transform/bound-spec.ts";
import type { PartitionValue } from "./data-file.ts";
import { ManifestContent, type FieldSummary, type ManifestFile } from "./manifest-file.ts";
import { partitionFilter } from "./partition-filter.ts";
import { encodeSingleValue } from "./single-value.ts";

function specOf(type: PrimitiveType) {
  const fields = [{ "source-id": 1, "field-id": 1000, name: "p", transform: "identity" }];
  const column = { id: 1, name: "c", required: false, type };
  return bindSpec({ "spec-id": 0, fields }, [{ type: "struct", "schema-id": 0, fields: [column] }]);
}

function manifestOf(...partitions: FieldSummary[]): ManifestFile {
  return {
    manifestPath: "m",
    manifestLength: 1,
    specId: 0,
    content: ManifestContent.data,
    sequenceNumber: 1,
    minSequenceNumber: 1,
    addedSnapshotId: 1n,
    partitions,
  };
}

describe("leaving out whole manifests", () => {
  const bounds = (type: PrimitiveType, lower: number, upper: number) => ({
    lowerBound: encodeSingleValue(type, lower),
    upperBound: encodeSingleValue(type, upper),
  });
  const oneToFive = { containsNull: false, containsNan: false, ...bounds("int", 1, 5) };
  const onlyNulls = { containsNull: true, containsNan: false };
  const nothingKnown = { containsNull: false };

  it.each<[string, FieldSummary, Predicate, boolean]>([
    ["inside", oneToFive, eq("c", 3), true],
    ["below", oneToFive, lt("c", 1), false],
    ["above", oneToFive, gt("c", 5), false],
    ["null where none is", oneToFive, isNull("c"), false],
    ["null where all are", onlyNulls, isNull("c"), true],
    ["a value where all are null", onlyNulls, eq("c", 3), false],
    ["not null where all are null", onlyNulls, notNull("c"), false],
    ["a value where the writer left out the bounds", nothingKnown, eq("c", 3), true],
  ])("%s", (_name, summary, where, kept) => {
    expect(partitionFilter(where, specOf("int")).mayMatchManifest(manifestOf(summary))).toBe(kept);
  });

  it("goes by no bounds where NaN may be, nor by a summary that is missing", () => {
    const filter = partitionFilter(gt("c", 9), specOf("double"));
    const known = { containsNull: false, ...bounds("double", 1, 5) };
    expect(filter.mayMatchManifest(manifestOf({ ...known, containsNan: false }))).toBe(false);
    expect(filter.mayMatchManifest(manifestOf({ ...known, containsNan: true }))).toBe(true);
    expect(filter.mayMatchManifest(manifestOf(known))).toBe(true);
    expect(filter.mayMatchManifest(manifestOf())).toBe(true);
    const { partitions: _none, ...bare } = manifestOf();
    expect(filter.mayMatchManifest(bare)).toBe(true);
  });
});

describe("leaving out files", () => {
  it.each<[PartitionValue, Predicate, boolean]>([
    [3, eq("c", 3), true],
    [3, eq("c", 4), false],
    [null, eq("c", 3), false],
    [null, isNull("c"), true],
    [3, isNull("c"), false],
    [3, notNull("c"), true],
    [NaN, gt("c", 3), true],
  ])("%s", (p, where, kept) => {
    expect(partitionFilter(where, specOf("double")).mayMatchPartition({ p })).toBe(kept);
  });
});
