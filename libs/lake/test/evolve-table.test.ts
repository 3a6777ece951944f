import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Catalog } from "../src/catalog/catalog.ts";
import { LakeError } from "../src/lake-error.ts";
import {
  changePartitioning,
  changeProperties,
  changeSchema,
  changeSortOrder,
  upgradeTable,
} from "../src/commit/evolve-table.ts";
import { currentFiles } from "../src/commit/current-files.ts";
import type { Table } from "../src/commit/table.ts";
import { evolveSchema, type SchemaChange } from "../src/metadata/evolve-schema.ts";
import { currentSchema } from "../src/metadata/table-metadata.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { eq, gt } from "../src/scan/predicate.ts";
import { planScan } from "../src/scan/plan-scan.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

let lake: LakeFixture;
beforeAll(async () => {
  lake = await openFixture();
});
afterAll(() => lake.close());

const columns = [
  { name: "id", type: "int", required: true },
  { name: "day", type: "date", required: true },
  { name: "v", type: "float", required: false },
  { name: "c", type: "decimal(5, 2)", required: false },
  { name: "tags", type: "map<string, list<int>>", required: false },
];

const rows = (from: number, to: number): string =>
  `SELECT range::INT AS id, DATE '2026-01-30' + range::INT AS day, range / 2 AS v, 1.25 AS c, MAP {'a': [range::INT]} AS tags
   FROM range(${from}, ${to})`;

async function append(table: Table, relationSql: string): Promise<Table> {
  const addedData = await stageRows(lake.connection, { env: lake.env, table, relationSql });
  return lake.commit(table, { operation: "append", addedData });
}

const filledTable = async (more: object = {}): Promise<Table> =>
  append(await lake.createTable({ columns, identity: ["id"], ...more }), rows(0, 3));

describe("a schema", () => {
  test("is added to, widened, renamed, reordered and cut in one commit, and rows follow", async () => {
    const before = await filledTable();
    const after = await changeSchema(lake.env, before, [
      { kind: "widen", column: "id", type: "long" },
      { kind: "widen", column: "v", type: "double" },
      { kind: "widen", column: "c", type: "decimal(20, 2)" },
      { kind: "widen", column: "tags.value.element", type: "long" },
      { kind: "rename", column: "v", to: "value" },
      { kind: "add", name: "v", type: "string", position: { after: "id" }, doc: "another column of an old name" },
      { kind: "make-optional", column: "day" },
      { kind: "move", column: "tags", position: "first" },
      {
        kind: "add",
        name: "place",
        type: { type: "struct", fields: [{ id: 1, name: "lat", required: true, type: "double" }] },
      },
      { kind: "add", parent: "place", name: "lon", type: "double", position: "first" },
      { kind: "drop", column: "day" },
    ]);
    expect(after.metadata.schemas).toHaveLength(2);
    expect(currentSchema(after.metadata).fields.map((field) => field.name)).toEqual([
      "tags",
      "id",
      "v",
      "value",
      "c",
      "place",
    ]);
    expect(after.metadata["last-column-id"]).toBe(12);
    const written = await append(
      after,
      "SELECT 9000000000 AS id, 'x' AS v, 1e300 AS value, MAP {'b': [9000000001]} AS tags, {'lat': 1.5, 'lon': 2.5} AS place",
    );
    expect(await lake.rows(written, {}, "id")).toEqual([
      { tags: [{ key: "a", value: [0] }], id: 0, v: null, value: 0, c: 1.25, place: null },
      { tags: [{ key: "a", value: [1] }], id: 1, v: null, value: 0.5, c: 1.25, place: null },
      { tags: [{ key: "a", value: [2] }], id: 2, v: null, value: 1, c: 1.25, place: null },
      {
        tags: [{ key: "b", value: [9_000_000_001] }],
        id: 9_000_000_000,
        v: "x",
        value: 1e300,
        c: null,
        place: { lon: 2.5, lat: 1.5 },
      },
    ]);
    expect(await lake.rows(written, { where: gt("value", 0.4) }, "id")).toHaveLength(3);
    expect(await lake.rows(written, { where: eq("v", "x") })).toHaveLength(1);
  });

  test("of an old snapshot is its own", async () => {
    const before = await filledTable();
    const changed = await changeSchema(lake.env, before, [
      { kind: "drop", column: "v" },
      { kind: "rename", column: "c", to: "v" },
    ]);
    const after = await append(changed, "SELECT 7::INT AS id, DATE '2026-01-01' AS day, 2.5 AS v");
    const snapshotId = before.metadata["current-snapshot-id"]!;
    const plan = await planScan({ env: lake.env, table: after, snapshotId });
    expect(plan.schema.fields.map((field) => field.name)).toEqual(columns.map((column) => column.name));
    const [row] = await lake.rows<{ v: number; c: number }>(after, { snapshotId, where: eq("v", 0.5) });
    expect([row!.v, row!.c]).toEqual([0.5, 1.25]);
  });

  test.each<[string, SchemaChange, RegExp]>([
    ["a column that is there", { kind: "add", name: "v", type: "int" }, /column v is there already/],
    ["one that differs by case", { kind: "add", name: "ID", type: "int" }, /differs from id by case only/],
    [
      "a required column for rows that are there",
      { kind: "add", name: "x", type: "int", required: true },
      /must be optional/,
    ],
    ["a default before v3", { kind: "add", name: "x", type: "int", default: 1 }, /format version 3/],
    ["a type that is none", { kind: "add", name: "x", type: "number" }, /unknown type/],
    ["part of something simple", { kind: "add", parent: "v", name: "x", type: "int" }, /is no struct/],
    ["a place beside what is not there", { kind: "add", name: "x", type: "int", position: { after: "y" } }, /beside y/],
    ["a drop of what names rows", { kind: "drop", column: "id" }, /names rows/],
    ["a drop of what is not there", { kind: "drop", column: "nope" }, /nope is no column/],
    ["a drop of a map's value", { kind: "drop", column: "tags.value" }, /part of a list or map/],
    ["a change of a map's key", { kind: "widen", column: "tags.key", type: "binary" }, /map's key/],
    ["a rename onto another", { kind: "rename", column: "v", to: "c" }, /is there already/],
    ["a narrower type", { kind: "widen", column: "c", type: "decimal(4, 2)" }, /cannot become decimal\(4, 2\)/],
    ["another scale", { kind: "widen", column: "c", type: "decimal(9, 3)" }, /cannot become decimal\(9, 3\)/],
    ["text from numbers", { kind: "widen", column: "id", type: "string" }, /cannot become string from int/],
    ["nulls in what names rows", { kind: "make-optional", column: "id" }, /must stay required/],
    ["timestamps from dates before v3", { kind: "widen", column: "day", type: "timestamp" }, /cannot become timestamp/],
  ])("refuses %s, and changes nothing", async (_, change, message) => {
    const table = await filledTable();
    const changing = (async () => changeSchema(lake.env, table, [change]))();
    await expect(changing).rejects.toThrow(message);
    await expect(changing).rejects.toMatchObject({ kind: "invalid" });
    const { metadata } = await lake.env.catalog.loadTable(table.identifier);
    expect(metadata.schemas).toHaveLength(1);
  });

  test("keeps what the table is partitioned or sorted by", async () => {
    const partition = [{ source: "day", transform: "day", name: "day_day" }];
    const { metadata } = await lake.createTable({ columns, partition, sort: ["v"] });
    expect(() => evolveSchema(metadata, [{ kind: "drop", column: "day" }])).toThrow(
      /partitioned by it|partitioned by \(day_day\)/,
    );
    expect(() => evolveSchema(metadata, [{ kind: "drop", column: "v" }])).toThrow(/sorted by/);
  });

  test("takes up another's change that came in between, and a lost answer only once", async () => {
    const table = await filledTable();
    await changeSchema(lake.env, table, [{ kind: "add", name: "first", type: "int" }]);
    const second = await changeSchema(lake.env, table, [{ kind: "add", name: "second", type: "int" }]);
    const names = (one: Table): string[] => currentSchema(one.metadata).fields.map((field) => field.name);
    expect(names(second).slice(-2)).toEqual(["first", "second"]);
    const { catalog } = lake.env;
    let lost = 0;
    const losing = new Proxy(catalog, {
      get: (target, name: keyof Catalog) => {
        if (name !== "commitTable") return target[name].bind(target);
        return async (...args: Parameters<Catalog["commitTable"]>) => {
          const done = await target.commitTable(...args);
          if (lost++ > 0) return done;
          throw new LakeError("unknown_outcome", "the answer was lost");
        };
      },
    });
    const third = await changeSchema({ ...lake.env, catalog: losing }, second, [
      { kind: "add", name: "third", type: "int" },
    ]);
    expect(names(third).slice(-2)).toEqual(["second", "third"]);
    expect(lost).toBe(1);
  });
});

test("properties are set and taken away in one commit, and only where that changes something", async () => {
  let table = await changeProperties(lake.env, await filledTable(), {
    owner: "anna",
    "write.format.default": "parquet",
  });
  expect(table.metadata.properties).toMatchObject({ owner: "anna", "write.format.default": "parquet" });
  table = await changeProperties(lake.env, table, { owner: "ben" }, ["write.format.default", "never there"]);
  expect(table.metadata.properties).toMatchObject({ owner: "ben" });
  expect(table.metadata.properties).not.toHaveProperty(["write.format.default"]);
  const same = await changeProperties(lake.env, table, { owner: "ben" }, ["write.format.default"]);
  expect(same.metadataLocation).toBe(table.metadataLocation);
});

describe("partitioning, order and version", () => {
  test("change for new files; old ones are planned by their own spec", async () => {
    const partition = [{ source: "day", transform: "month", name: "day_month" }];
    let table = await filledTable({ partition });
    table = await changePartitioning(lake.env, table, [
      { source: "day", transform: "day" },
      { source: "id", transform: "bucket[4]" },
    ]);
    table = await append(table, rows(3, 6));
    table = await changePartitioning(lake.env, table, [{ source: "day", transform: "month" }]);
    table = await append(table, rows(6, 8));
    expect(table.metadata["partition-specs"].map((spec) => spec.fields.map(({ name }) => name))).toEqual([
      ["day_month"],
      ["day_day", "id_bucket_4"],
    ]);
    expect(table.metadata["default-spec-id"]).toBe(0);
    expect(new Set((await currentFiles(lake.env, table)).data.map((file) => file.specId))).toEqual(new Set([0, 1]));
    for (let id = 0; id < 8; id++) {
      expect(await lake.rows(table, { where: eq("id", id) })).toHaveLength(1);
      const day = 20_483 + id;
      const plan = await planScan({ env: lake.env, table, where: eq("day", day) });
      expect(plan.stats.filesPlanned).toBe(1);
      expect(await lake.rows(table, { where: eq("day", day) })).toMatchObject([{ id }]);
    }
    await expect(
      (async () => changePartitioning(lake.env, table, [{ source: "v", transform: "bucket[2]" }]))(),
    ).rejects.toThrow(/cannot transform float/);
  });

  test("a sort order is replaced, and taken away", async () => {
    let table = await filledTable();
    table = await changeSortOrder(lake.env, table, [{ column: "v", direction: "desc" }]);
    table = await append(table, rows(10, 13));
    const sorted = (await currentFiles(lake.env, table)).data.filter((file) => file.sortOrderId === 1);
    expect(sorted).toHaveLength(1);
    table = await changeSortOrder(lake.env, table, []);
    expect(table.metadata["default-sort-order-id"]).toBe(0);
  });

  test("the format version goes up when asked, and never down", async () => {
    const table = await upgradeTable(lake.env, await filledTable(), 3);
    expect(table.metadata["format-version"]).toBe(3);
    expect(await lake.rows(table)).toHaveLength(3);
    await expect((async () => upgradeTable(lake.env, table, 2))()).rejects.toThrow(/must be 3 to 3/);
    const evolved = await changeSchema(lake.env, table, [
      { kind: "add", name: "x", type: "int", required: true, default: 5 },
    ]);
    expect(await lake.rows(evolved, { where: eq("x", 5) })).toHaveLength(3);
  });
});
