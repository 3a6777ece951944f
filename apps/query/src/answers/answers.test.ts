import { parse } from "csv-parse/sync";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import type { AnswerTable } from "@firn/core";
import { arrowStream } from "./arrow.ts";
import { csvText } from "./csv.ts";
import { jsonRows } from "./json-values.ts";
import { chooseMediaType } from "./media-type.ts";

const table: AnswerTable = {
  columns: [
    { name: "text", type: "string", optional: true },
    { name: "flag", type: "boolean" },
    { name: "small", type: "int", optional: true },
    { name: "big", type: "long" },
    { name: "real", type: "double", optional: true },
    { name: "day", type: "date", optional: true },
    { name: "at", type: "timestamptz" },
    { name: "tags", type: "map<string,string>", optional: true },
  ],
  rowCount: 3,
  values: [
    ['a "quoted", line\nbreak', "", null],
    [true, false, true],
    [1, null, -1],
    [7, 9007199254740993n, 0],
    [0.1, null, -2.5],
    [20454, null, -1],
    [1767225600000000, 1767225600123456, -1],
    [[{ key: "__proto__", value: "x" }], null, []],
  ],
};
const empty: AnswerTable = { ...table, rowCount: 0, values: table.values.map(() => []) };

describe("JSON rows", () => {
  it("write instants, dates, large numbers and maps as the interface says", () => {
    expect(JSON.parse(jsonRows(table))).toEqual([
      {
        text: 'a "quoted", line\nbreak',
        flag: true,
        small: 1,
        big: 7,
        real: 0.1,
        day: "2026-01-01",
        at: "2026-01-01T00:00:00Z",
        tags: JSON.parse('{"__proto__":"x"}') as unknown,
      },
      {
        text: "",
        flag: false,
        small: null,
        big: "9007199254740993",
        real: null,
        day: null,
        at: "2026-01-01T00:00:00.123456Z",
        tags: null,
      },
      {
        text: null,
        flag: true,
        small: -1,
        big: 0,
        real: -2.5,
        day: "1969-12-31",
        at: "1969-12-31T23:59:59.999999Z",
        tags: {},
      },
    ]);
  });
  it("are an empty list where there is nothing", () => expect(jsonRows(empty)).toBe("[]"));
});

describe("CSV", () => {
  it("comes back through a parser", () => {
    const rows = parse(csvText(table), { columns: true }) as Record<string, string>[];
    expect(rows[0]).toMatchObject({ text: 'a "quoted", line\nbreak', big: "7", tags: '{"__proto__":"x"}' });
    expect(rows[1]).toMatchObject({ text: "", big: "9007199254740993", small: "" });
  });
  it("tells null from empty text", () => {
    const lines = csvText({ ...table, columns: table.columns.slice(0, 2), values: table.values.slice(0, 2) });
    expect(lines.endsWith('"",false\r\n,true\r\n')).toBe(true);
  });
  it("has its header where there is nothing", () => {
    expect(csvText(empty)).toBe("text,flag,small,big,real,day,at,tags\r\n");
  });
});

describe("Arrow", () => {
  it("carries types, nulls, values and metadata", () => {
    const read = tableFromIPC(arrowStream(table, { "firn.cursor": "c" }));
    expect(read.schema.metadata.get("firn.cursor")).toBe("c");
    expect(read.schema.fields.map((field) => String(field.type))).toEqual([
      "Utf8",
      "Bool",
      "Int32",
      "Int64",
      "Float64",
      "Date32<DAY>",
      "Timestamp<MICROSECOND, UTC>",
      "Map<{key:Utf8, value:Utf8}>",
    ]);
    const column = (name: string) => [...read.getChild(name)!].map((value: unknown) => value);
    expect(column("text")).toEqual(table.values[0]);
    expect(column("flag")).toEqual(table.values[1]);
    expect(column("small")).toEqual(table.values[2]);
    expect(column("big")).toEqual([7n, 9007199254740993n, 0n]);
    expect(column("real")).toEqual(table.values[4]);
    expect([...read.getChild("at")!.data[0]!.values]).toEqual([1767225600000000n, 1767225600123456n, -1n]);
    expect(column("tags").map((map) => map && [...(map as Map<string, string>)])).toEqual([
      [["__proto__", "x"]],
      null,
      [],
    ]);
  });
  it("has its schema where there is nothing", () => {
    const read = tableFromIPC(arrowStream(empty, {}));
    expect(read.numRows).toBe(0);
    expect(read.schema.fields).toHaveLength(8);
  });
});

describe("Accept", () => {
  it.each([
    [undefined, "application/json"],
    ["*/*", "application/json"],
    ["text/csv", "text/csv"],
    [
      "text/html, application/vnd.apache.arrow.stream;q=0.9, application/json;q=0.5",
      "application/vnd.apache.arrow.stream",
    ],
    ["text/*", "text/csv"],
    ["application/json;q=0, */*", "text/csv"],
    ["text/html", undefined],
  ])("%s gives %s", (accept, type) => expect(chooseMediaType(accept)).toBe(type));
});
