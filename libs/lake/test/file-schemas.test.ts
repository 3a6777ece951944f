import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Table } from "../src/commit/table.ts";
import type { IcebergType, StructField } from "../src/metadata/schema.ts";
import { FileContent } from "../src/manifest/data-file.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { gte, isNull } from "../src/scan/predicate.ts";
import { planScan, type PlanScanOptions } from "../src/scan/plan-scan.ts";
import { scanSql } from "../src/scan/scan-sql.ts";
import { foreignFile } from "./foreign-files.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

let lake: LakeFixture;
beforeAll(async () => {
  lake = await openFixture();
});
afterAll(() => lake.close());

/** The table as a reader of changed metadata sees it. */
function evolved(table: Table, fields: readonly StructField[], properties: Record<string, string> = {}): Table {
  const { metadata } = table;
  const schema = { type: "struct" as const, "schema-id": 1, fields };
  return {
    ...table,
    metadata: {
      ...metadata,
      schemas: [...metadata.schemas, schema],
      "current-schema-id": 1,
      properties: { ...metadata.properties, ...properties },
    },
  };
}

async function rowsOf(table: Table, options: Partial<PlanScanOptions> = {}): Promise<object[]> {
  const plan = await planScan({ env: lake.env, table, ...options });
  return lake.connection.rows(`SELECT * FROM (${await scanSql(plan, { store: lake.env.store })}) ORDER BY ALL`);
}

const struct = (...fields: StructField[]): IcebergType => ({ type: "struct", fields });
const field = (id: number, name: string, type: IcebergType, more: Partial<StructField> = {}): StructField => ({
  id,
  name,
  required: false,
  type,
  ...more,
});

const NESTED = `SELECT range AS id, {'x': range::INT, 'y': 'y' || range} AS s, [{'p': range::INT}, NULL] AS l,
  MAP {'k': {'z': range::INT}} AS m FROM range(2) UNION ALL SELECT 9, NULL, NULL, NULL`;
const NESTED_IDS = `{id: 1, s: {__duckdb_field_id: 2, x: 3, y: 4}, l: {__duckdb_field_id: 5, element: {__duckdb_field_id: 6, p: 7}},
  m: {__duckdb_field_id: 8, key: 9, value: {__duckdb_field_id: 10, z: 11}}}`;

const nestedFields = (names: { x: string; y: string; p: string; z: string }): StructField[] => [
  field(1, "id", "long"),
  field(2, "s", struct(field(3, names.x, "long"), field(4, names.y, "string"))),
  field(5, "l", {
    type: "list",
    "element-id": 6,
    "element-required": false,
    element: struct(field(7, names.p, "long")),
  }),
  field(8, "m", {
    type: "map",
    "key-id": 9,
    key: "string",
    "value-id": 10,
    "value-required": false,
    value: struct(field(11, names.z, "long")),
  }),
];

async function nestedTable(withIds = true): Promise<Table> {
  const table = await lake.createTable({ columns: [{ name: "id", type: "long", required: false }] });
  const file = await foreignFile(lake, { table, sql: NESTED, fieldIds: withIds ? NESTED_IDS : undefined });
  return lake.commit(table, { operation: "append", addedData: [file] });
}

describe("parts of nested columns", () => {
  test("are found by their ids after renames that swap their names", async () => {
    const table = await nestedTable();
    const same = evolved(table, nestedFields({ x: "x", y: "y", p: "p", z: "z" }));
    expect((await rowsOf(same))[1]).toEqual({
      id: 1,
      s: { x: 1, y: "y1" },
      l: [{ p: 1 }, null],
      m: [{ key: "k", value: { z: 1 } }],
    });
    const renamed = evolved(table, nestedFields({ x: "y", y: "x", p: "it's", z: 'q"q' }));
    expect(await rowsOf(renamed, { where: gte("id", 1) })).toEqual([
      { id: 1, s: { y: 1, x: "y1" }, l: [{ "it's": 1 }, null], m: [{ key: "k", value: { 'q"q': 1 } }] },
      { id: 9, s: null, l: null, m: null },
    ]);
  });

  test("that are new take no values of dropped ones of the same name, but their default", async () => {
    const table = await nestedTable();
    const fields = [
      field(1, "id", "long"),
      field(2, "s", struct(field(20, "x", "string", { "initial-default": "new" }), field(21, "y", "int"))),
    ];
    expect(await rowsOf(evolved(table, fields), { where: isNull("s") })).toEqual([{ id: 9, s: null }]);
    expect((await rowsOf(evolved(table, fields)))[0]).toEqual({ id: 0, s: { x: "new", y: null } });
  });
});

describe("columns that a file lacks", () => {
  const columns = [
    { name: "id", type: "long", required: true },
    { name: "kind", type: "string", required: false },
  ];

  test("have their initial default, of every type, and filters see it", async () => {
    const table = await lake.createTable({ columns });
    const relationSql = "SELECT range AS id FROM range(2)";
    const addedData = await stageRows(lake.connection, { env: lake.env, table, relationSql });
    const written = await lake.commit(table, { operation: "append", addedData });
    const of = (id: number, type: IcebergType, value: unknown): StructField =>
      field(id, `c${id}`, type, { "initial-default": value });
    const fields = [
      field(1, "id", "long", { required: true }),
      of(10, "int", 7),
      of(11, "long", 9_007_199_254_740_993n),
      of(12, "double", 1.5),
      of(13, "boolean", true),
      of(14, "date", "2026-01-02"),
      of(15, "timestamptz", "1970-01-01T00:00:01.000002+00:00"),
      of(16, "string", "it's"),
      of(17, "decimal(9, 2)", "-1.25"),
      of(18, "binary", "00ff"),
      of(19, "uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7"),
      of(20, "time", "00:00:01.5"),
    ];
    const [row] = (await rowsOf(evolved(written, fields), { where: gte("c10", 7) })) as [Record<string, unknown>];
    expect({
      ...row,
      c18: Buffer.from((row["c18"] as { bytes?: Uint8Array }).bytes ?? (row["c18"] as Uint8Array)).toString("hex"),
    }).toEqual({
      id: 0,
      c10: 7,
      c11: 9_007_199_254_740_993n,
      c12: 1.5,
      c13: true,
      c14: 20_455,
      c15: 1_000_002,
      c16: "it's",
      c17: -1.25,
      c18: "00ff",
      c19: "f79c3e09-677c-4bbd-a479-3f349cb785e7",
      c20: 1_500_000,
    });
    expect(await rowsOf(evolved(written, fields), { where: gte("c10", 8) })).toEqual([]);
    const bad = evolved(written, [field(1, "id", "long"), of(10, "int", "7 OR 1=1")]);
    await expect(rowsOf(bad)).rejects.toMatchObject({ kind: "corrupt", message: expect.stringContaining("c10") });
  });

  test("have the value of the partition where that says it", async () => {
    const partition = [{ source: "kind", transform: "identity", name: "kind" }];
    const table = await lake.createTable({ columns, partition });
    const fieldIds = "{id: 1}";
    const files = await Promise.all(
      ["a'b", null].map((kind, n) =>
        foreignFile(lake, { table, sql: `SELECT ${n}::BIGINT AS id`, fieldIds, partition: { kind } }),
      ),
    );
    const whole = await stageRows(lake.connection, {
      env: lake.env,
      table,
      relationSql: "SELECT 2 AS id, 'c' AS kind",
    });
    const written = await lake.commit(table, { operation: "append", addedData: [...files, ...whole] });
    expect(await rowsOf(written)).toEqual([
      { id: 0, kind: "a'b" },
      { id: 1, kind: null },
      { id: 2, kind: "c" },
    ]);
  });

  test("fail by name where they are required", async () => {
    const table = await lake.createTable({ columns });
    const file = await foreignFile(lake, { table, sql: "SELECT 'x' AS kind", fieldIds: "{kind: 2}" });
    const written = await lake.commit(table, { operation: "append", addedData: [file] });
    await expect(rowsOf(written)).rejects.toMatchObject({
      kind: "corrupt",
      context: { column: "id", file: file.filePath },
    });
  });
});

describe("files without field ids", () => {
  const mapping = JSON.stringify([
    { "field-id": 1, names: ["id", "ID"] },
    {
      "field-id": 2,
      names: ["s"],
      fields: [
        { "field-id": 3, names: ["x"] },
        { "field-id": 4, names: ["y"] },
      ],
    },
    {
      "field-id": 5,
      names: ["l"],
      fields: [{ "field-id": 6, names: ["element"], fields: [{ "field-id": 7, names: ["p"] }] }],
    },
    {
      "field-id": 8,
      names: ["m"],
      fields: [
        { "field-id": 9, names: ["key"] },
        { "field-id": 10, names: ["value"], fields: [{ "field-id": 11, names: ["z"] }] },
      ],
    },
  ]);

  test("are read by the table's name mapping", async () => {
    const table = await nestedTable(false);
    const names = { x: "a", y: "b", p: "c", z: "d" };
    const mapped = evolved(table, nestedFields(names), { "schema.name-mapping.default": mapping });
    expect(await rowsOf(mapped, { where: gte("id", 1) })).toEqual([
      { id: 1, s: { a: 1, b: "y1" }, l: [{ c: 1 }, null], m: [{ key: "k", value: { d: 1 } }] },
      { id: 9, s: null, l: null, m: null },
    ]);
  });

  test("are refused where the table has none, or a broken one, and never read as nulls", async () => {
    const table = await nestedTable(false);
    await expect(rowsOf(table)).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringContaining("name mapping"),
    });
    const fields = table.metadata.schemas[0]!.fields;
    const broken = evolved(table, fields, { "schema.name-mapping.default": "[{]" });
    await expect(rowsOf(broken)).rejects.toMatchObject({
      kind: "corrupt",
      message: expect.stringContaining("schema.name-mapping.default"),
    });
  });
});

describe("a file that is not what its table says", () => {
  test.each([
    ["text where the table has numbers", "SELECT '7' AS id"],
    ["numbers that are wider than the column", "SELECT 7::HUGEINT::DOUBLE AS id"],
    ["a list where the table has a value", "SELECT [7] AS id"],
  ])("is refused: %s", async (_, sql) => {
    const table = await lake.createTable({ columns: [{ name: "id", type: "long", required: false }] });
    const fieldIds = sql.includes("[") ? "{id: {__duckdb_field_id: 1, element: 2}}" : "{id: 1}";
    const file = await foreignFile(lake, { table, sql, fieldIds });
    const written = await lake.commit(table, { operation: "append", addedData: [file] });
    await expect(rowsOf(written)).rejects.toMatchObject({
      kind: "corrupt",
      context: { file: file.filePath, column: "id" },
    });
  });

  test("is refused when it has other rows than its manifest says", async () => {
    const table = await lake.createTable({ columns: [{ name: "id", type: "long", required: false }] });
    const file = await foreignFile(lake, { table, sql: "SELECT range AS id FROM range(5)", fieldIds: "{id: 1}" });
    const written = await lake.commit(table, { operation: "append", addedData: [{ ...file, recordCount: 6 }] });
    await expect(rowsOf(written)).rejects.toMatchObject({
      kind: "corrupt",
      message: expect.stringMatching(/has 5 rows.*says 6/),
    });
  });
});

test("position delete files without field ids are read by the names that are reserved", async () => {
  const table = await lake.createTable({ columns: [{ name: "id", type: "long", required: false }] });
  const data = await foreignFile(lake, { table, sql: "SELECT range AS id FROM range(4)", fieldIds: "{id: 1}" });
  const sql = `SELECT '${data.filePath}' AS file_path, 2::BIGINT AS pos`;
  const deletes = { ...(await foreignFile(lake, { table, sql })), content: FileContent.positionDeletes };
  const written = await lake.commit(table, { operation: "overwrite", addedData: [data], addedDeletes: [deletes] });
  expect(await rowsOf(written)).toEqual([{ id: 0 }, { id: 1 }, { id: 3 }]);
});
