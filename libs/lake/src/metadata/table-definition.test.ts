import { describe, expect, it } from "vitest";
import { newTableMetadata } from "./new-table.ts";
import { duckType } from "../parquet/duck-type.ts";
import { createTableRequest, definedIdentifier, definedType, schemaFromColumns } from "./table-definition.ts";
import { currentSchema, defaultSortOrder, defaultSpec } from "./table-metadata.ts";

const definition = {
  namespace: "health_db",
  name: "raw",
  columns: [
    { name: "user_id", type: "string", required: true },
    { name: "metadata", type: "map<string,string>", required: false },
    { name: "start_date", type: "timestamptz", required: true, doc: "when it began" },
    { name: "prices", type: "map<string, list<decimal(9,2)>>", required: false },
  ],
  identity: ["user_id"],
  partition: [
    { source: "start_date", transform: "day", name: "start_date_day" },
    { source: "user_id", transform: "bucket[8]", name: "user_bucket" },
  ],
  sort: ["user_id", "start_date"],
  properties: { "write.metadata.previous-versions-max": "5" },
};

describe("createTableRequest", () => {
  it("becomes a table with ids in column order, then those of nested parts", () => {
    const metadata = newTableMetadata({
      ...createTableRequest(definition),
      location: "file:///w/t/",
      uuid: "u",
      nowMs: 1,
    });
    const schema = currentSchema(metadata);
    expect(schema.fields.map((field) => field.id)).toEqual([1, 2, 3, 4]);
    expect(schema.fields[1]?.type).toEqual({
      type: "map",
      "key-id": 5,
      key: "string",
      "value-id": 6,
      "value-required": false,
      value: "string",
    });
    expect(schema.fields[3]?.type).toMatchObject({
      "key-id": 7,
      "value-id": 8,
      value: { "element-id": 9, element: "decimal(9,2)" },
    });
    expect(schema["identifier-field-ids"]).toEqual([1]);
    expect(schema.fields[2]?.doc).toBe("when it began");
    expect(defaultSpec(metadata).fields).toEqual([
      { "source-id": 3, "field-id": 1000, name: "start_date_day", transform: "day" },
      { "source-id": 1, "field-id": 1001, name: "user_bucket", transform: "bucket[8]" },
    ]);
    expect(defaultSortOrder(metadata)).toMatchObject({
      "order-id": 1,
      fields: [{ "source-id": 1 }, { "source-id": 3 }],
    });
    expect(metadata).toMatchObject({ location: "file:///w/t", "last-column-id": 9, "last-partition-id": 1001 });
    expect(metadata.properties).toEqual({
      "write.metadata.delete-after-commit.enabled": "true",
      "write.metadata.previous-versions-max": "5",
    });
  });

  it("names what does not fit", () => {
    const broken =
      (change: object): (() => unknown) =>
      () =>
        createTableRequest({ ...definition, ...change });
    expect(broken({ identity: ["nobody"] })).toThrow("identity: nobody is not a column");
    expect(broken({ sort: ["nobody"] })).toThrow("sort: nobody is not a column");
    expect(() => schemaFromColumns([{ name: "a", type: "map<string>", required: true }])).toThrow("columns.a.type");
    expect(() => schemaFromColumns([{ name: "a", type: "decimal(50,2)", required: true }])).toThrow("decimal needs");
    const optional = createTableRequest({ ...definition, identity: ["metadata"] });
    expect(() => newTableMetadata({ ...optional, location: "file:///w/t", uuid: "u", nowMs: 1 })).toThrow(
      "cannot add field metadata as an identifier field: not a primitive type field",
    );
  });
});

describe("definedIdentifier", () => {
  it("splits the levels of a namespace", () => {
    expect(definedIdentifier({ namespace: "a.b", name: "t" })).toEqual({ namespace: ["a", "b"], name: "t" });
  });
});

describe("definedType", () => {
  it("reads a column's text, nested types too", () => {
    expect(definedType("timestamptz")).toBe("timestamptz");
    expect(duckType(definedType("map<string,list<long>>"))).toBe("MAP(VARCHAR, BIGINT[])");
    expect(() => definedType("text")).toThrow("type");
  });
});
