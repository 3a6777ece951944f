import type { ColumnDefinition, TableDefinition } from "@firn/core";
import {
  changeSchema,
  createTableRequest,
  currentSchema,
  definedIdentifier,
  lakeEnvironment,
  loadTable,
  MemoryCatalog,
  memoryStore,
  type LakeEnvironment,
  type Table,
} from "@firn/lake";
import { beforeEach, describe, expect, it } from "vitest";
import { alignColumns, planColumns } from "./defined-columns.ts";

const columns: readonly ColumnDefinition[] = [
  { name: "id", type: "string", required: true },
  { name: "n", type: "int", required: false },
  { name: "tags", type: "map<string,string>", required: false },
];
const definition: TableDefinition = {
  namespace: "db",
  name: "t",
  columns,
  identity: ["id"],
  partition: [],
  sort: [],
  properties: {},
};
const defined = (...more: ColumnDefinition[]): TableDefinition => ({ ...definition, columns: [...columns, ...more] });

let env: LakeEnvironment;
let table: Table;
beforeEach(async () => {
  const catalog = new MemoryCatalog();
  env = lakeEnvironment({ catalog, store: memoryStore() });
  await catalog.createNamespace(["db"]);
  await catalog.createTable(definedIdentifier(definition), createTableRequest(definition));
  table = await loadTable(env, definedIdentifier(definition));
});

const names = async (): Promise<string[]> =>
  currentSchema((await loadTable(env, table.identifier)).metadata).fields.map((field) => field.name);

describe("a definition that has grown", () => {
  const place: ColumnDefinition = { name: "place", type: "string", required: false, doc: "where" };

  it("brings its new optional columns to the table, in its order, once", async () => {
    const grown = {
      ...definition,
      columns: [columns[0]!, { name: "a", type: "double", required: false } as const, ...columns.slice(1), place],
    };
    expect(await alignColumns(env, { kind: "known", table }, grown, "t")).toBeUndefined();
    expect(await names()).toEqual(["id", "a", "n", "tags", "place"]);
    const after = await loadTable(env, table.identifier);
    expect(planColumns(grown, after.metadata).changes).toEqual([]);
    // A twin that read the table before does the same.
    expect(await alignColumns(env, { kind: "known", table }, grown, "t")).toBeUndefined();
    expect((await loadTable(env, table.identifier)).metadata.schemas).toHaveLength(2);
  });

  it("widens, and gives up what was required", async () => {
    const wider = defined();
    const changed = {
      ...wider,
      columns: wider.columns.map((column) => (column.name === "n" ? { ...column, type: "long" as const } : column)),
    };
    expect(await alignColumns(env, { kind: "known", table }, changed, "t")).toBeUndefined();
    expect(currentSchema((await loadTable(env, table.identifier)).metadata).fields[1]!.type).toBe("long");
    // The other way round the table has the wider one already.
    const now = await loadTable(env, table.identifier);
    expect(planColumns(definition, now.metadata)).toEqual({ changes: [], conflicts: [] });
  });

  it("fits a table whose catalog writes the parts of a type in another order", () => {
    const reversed = (value: unknown): unknown =>
      value !== null && typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, inner]) => [key, reversed(inner)]),
          )
        : value;
    const schemas = table.metadata.schemas.map((schema) => ({
      ...schema,
      fields: schema.fields.map((field) => reversed(field) as typeof field),
    }));
    expect(planColumns(definition, { ...table.metadata, schemas })).toEqual({ changes: [], conflicts: [] });
  });

  it("leaves alone what others renamed, dropped and added", async () => {
    const changed = await changeSchema(env, table, [
      { kind: "rename", column: "n", to: "number" },
      { kind: "drop", column: "tags" },
      { kind: "add", name: "theirs", type: "string" },
    ]);
    expect(planColumns(defined(place), changed.metadata)).toMatchObject({
      changes: [{ kind: "add", name: "place" }],
      conflicts: [],
    });
  });
});

describe("a definition that does not fit", () => {
  it.each<[string, TableDefinition, RegExp]>([
    ["has a new required column", defined({ name: "x", type: "string", required: true }), /x is new and required/],
    [
      "has another type",
      { ...definition, columns: [columns[0]!, { ...columns[1]!, type: "string" }, columns[2]!] },
      /n is int in the table and defined as string/,
    ],
    [
      "lacks a required column",
      { ...definition, columns: columns.slice(1), identity: ["n"] },
      /id is required in the table/,
    ],
    [
      "allows nulls in its identity",
      { ...definition, columns: [{ ...columns[0]!, required: false }, ...columns.slice(1)] },
      /id .*must stay required/,
    ],
  ])("is refused with a reason when it %s, and changes nothing", async (_, other, reason) => {
    const problem = await alignColumns(env, { kind: "known", table }, other, "raw");
    expect(problem?.reason).toMatch(reason);
    expect(problem?.fix).toContain("firn resume raw");
    expect((await loadTable(env, table.identifier)).metadata.schemas).toHaveLength(1);
  });
});
