import type { PartitionTransform, TableDefinition } from "@firn/core";
import {
  createTableRequest,
  currentSchema,
  type KernelConnection,
  type Predicate,
  predicateSql,
  newTableMetadata,
  sqlName,
} from "@firn/lake";
import { type LocalKernel, openLocalKernel } from "@firn/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { candidatePredicate } from "./candidates.ts";
import { partitionNameSql } from "./partition-name.ts";

let local: LocalKernel;
let connection: KernelConnection;
beforeAll(async () => {
  local = await openLocalKernel("candidates", { memoryLimitMb: 256 });
  ({ connection } = local);
  await connection.run(`CREATE TABLE samples AS SELECT * FROM (VALUES
    ('', 0, TIMESTAMPTZ '1970-01-01 00:00:00+00', DATE '1970-01-01', 'a', 0.5),
    ('abc', 9007199254740993, TIMESTAMPTZ '1969-12-31 23:59:59.999999+00', DATE '1969-12-31', 'abcd', 1.5),
    ('abd', -1, TIMESTAMPTZ '2026-02-28 23:00:00+00', DATE '2026-02-28', 'abce', 2.5),
    ('🫀🫀🫀', 17, TIMESTAMPTZ '2026-03-01 00:00:00+00', DATE '2026-03-01', '\ud7ff\ud7ff\ud7ffz', 3.5),
    ('quote''"', -17, TIMESTAMPTZ '2024-12-31 12:30:00+00', DATE '2024-12-31', 'z', 4.5),
    ('none', 3, TIMESTAMPTZ '2024-12-31 12:59:59+00', NULL, 'zz', 5.5)
  ) AS t(id, number, "at", day, name, value)`);
});
afterAll(() => local?.close());

function tableOf(...partition: [source: string, transform: PartitionTransform][]): TableDefinition {
  return {
    namespace: "n",
    name: "t",
    columns: [
      { name: "id", type: "string", required: true },
      { name: "number", type: "long", required: true },
      { name: "at", type: "timestamptz", required: true },
      { name: "day", type: "date", required: false },
      { name: "name", type: "string", required: true },
      { name: "value", type: "double", required: true },
    ],
    identity: ["id"],
    partition: partition.map(([source, transform], at) => ({ source, transform, name: `p${at}` })),
    sort: [],
    properties: {},
  };
}

/** Ids of the rows that the condition for the partitions of `ids` takes. */
async function candidates(definition: TableDefinition, ids: readonly string[]): Promise<string[] | undefined> {
  const rows = await connection.rows<{ id: string; place: string }>(
    `SELECT id, ${partitionNameSql(definition)} AS place FROM samples ORDER BY rowid`,
  );
  const names = [...new Set(rows.map((row) => row.place))];
  const chosen = rows.filter((row) => ids.includes(row.id)).map((row) => names.indexOf(row.place));
  const index = { partitionName: (ordinal: number) => names[ordinal] };
  const where: Predicate | undefined = candidatePredicate(definition, index, new Set(chosen));
  if (where === undefined) return undefined;
  const schema = currentSchema(
    newTableMetadata({ ...createTableRequest(definition), location: "file:///t", uuid: "u", nowMs: 0 }),
  );
  const columnOf = (id: number) => sqlName(schema.fields.find((field) => field.id === id)!.name);
  const found = await connection.rows<{ id: string }>(
    `SELECT id FROM samples WHERE ${predicateSql(where, schema, columnOf)} ORDER BY rowid`,
  );
  return found.map((row) => row.id);
}

describe("the condition for partitions", () => {
  it.each<[PartitionTransform, string, string[], string[]]>([
    ["day", "at", ["none"], ["quote'\"", "none"]],
    ["hour", "at", ["abc"], ["abc"]],
    ["month", "at", ["abd"], ["abd"]],
    ["year", "at", ["abd"], ["abd", "🫀🫀🫀"]],
    ["day", "day", ["abc"], ["abc"]],
    ["month", "day", ["🫀🫀🫀"], ["🫀🫀🫀"]],
    ["year", "day", ["none"], ["none"]],
    ["identity", "day", ["none", "abd"], ["abd", "none"]],
    ["identity", "number", ["abc"], ["abc"]],
    ["identity", "at", ["abc"], ["abc"]],
    ["truncate[10]", "number", ["abd"], ["abd"]],
    ["truncate[10]", "number", ["🫀🫀🫀", "quote'\""], ["🫀🫀🫀", "quote'\""]],
    ["truncate[3]", "name", ["abc"], ["abc", "abd"]],
    ["truncate[3]", "name", ["🫀🫀🫀"], ["🫀🫀🫀"]],
    ["truncate[1]", "name", ["none"], ["quote'\"", "none"]],
  ])("of %s(%s) takes the partition of %j whole and nothing else", async (transform, source, ids, expected) => {
    expect(await candidates(tableOf([source, transform]), ids)).toEqual(expected);
  });

  it("of several fields is their conjunction, gathered by the last identity", async () => {
    const both = tableOf(["at", "year"], ["name", "identity"]);
    expect(await candidates(both, ["abd", "🫀🫀🫀"])).toEqual(["abd", "🫀🫀🫀"]);
    expect(await candidates(both, ["quote'\""])).toEqual(["quote'\""]);
  });

  it("is none where buckets or floating numbers are all there is", async () => {
    expect(await candidates(tableOf(["id", "bucket[4]"]), ["abc"])).toBeUndefined();
    expect(await candidates(tableOf(["value", "identity"]), ["abc"])).toBeUndefined();
    expect(await candidates(tableOf(["id", "bucket[4]"], ["day", "month"]), ["abd"])).toEqual(["abd"]);
  });
});
