import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openKernel, type Kernel, type KernelConnection } from "../src/kernel/duck.ts";
import { isNested, type IcebergType, type StructType } from "../src/metadata/schema.ts";
import { and, eq, gte, lt } from "../src/scan/predicate.ts";
import { planScan, type PlanScanOptions } from "../src/scan/plan-scan.ts";
import { scanRows } from "../src/scan/scan-rows.ts";
import { goldenEnvironment, goldenRows, goldenTable } from "./golden-lake.ts";

let temporary: string;
let kernel: Kernel;
let connection: KernelConnection;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), "firn-golden-"));
  kernel = await openKernel({ memoryLimitMb: 256, threads: 1, tempDir: temporary });
  connection = await kernel.connect();
});
afterAll(async () => {
  connection.close();
  kernel.close();
  await rm(temporary, { recursive: true, force: true });
});

const env = goldenEnvironment();

/** A value as Spark's JSON has it: no nulls, maps as objects, milliseconds. */
function sparkJson(value: unknown, type: IcebergType): unknown {
  if (value === null) return undefined;
  if (!isNested(type)) {
    if (type === "timestamp" || type === "timestamptz") return new Date(Math.floor(Number(value) / 1000)).toISOString();
    return type === "date" ? new Date(Number(value) * 86_400_000).toISOString().slice(0, 10) : value;
  }
  if (type.type === "list") return (value as unknown[]).map((item) => sparkJson(item, type.element));
  if (type.type === "struct") return structJson(value as Record<string, unknown>, type);
  const entries = value as { key: unknown; value: unknown }[];
  return Object.fromEntries(entries.map((entry) => [String(entry.key), sparkJson(entry.value, type.value)]));
}

function structJson(row: Record<string, unknown>, { fields }: Pick<StructType, "fields">): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field.name, sparkJson(row[field.name], field.type)]));
}

async function read(name: string, options: Partial<PlanScanOptions> = {}): Promise<unknown[]> {
  const plan = await planScan({ env, table: await goldenTable(name), ...options });
  const rows: Record<string, unknown>[] = [];
  for await (const row of scanRows<Record<string, unknown>>(connection, plan, { store: env.store })) rows.push(row);
  const sorted = rows.sort((a, b) => Number(a["id"]) - Number(b["id"]) || (String(a["v"]) < String(b["v"]) ? -1 : 1));
  return sorted.map((row) => JSON.parse(JSON.stringify(structJson(row, plan.schema))));
}

const expected = await goldenRows();
const reads: [table: string, what: string, options: Partial<PlanScanOptions>][] = [
  ["vectors", "current", {}],
  ["defaults", "current", {}],
  ["evolved", "current", {}],
  ["evolved", "tag first", { at: { ref: "first" } }],
  ["evolved", "branch audit", { at: { ref: "audit" } }],
  ["version1", "current", {}],
  ["mapped", "current", {}],
  ["equality", "current", {}],
];

test.each(reads)("what Spark wrote in %s (%s) has the rows that Spark reads", async (table, what, options) => {
  const found = await read(table, options);
  const rows = expected[table]![what]!.map((line) => JSON.parse(line) as unknown);
  expect(rows.length).toBeGreaterThan(0);
  expect(found).toEqual(rows.map((row) => expect.objectContaining(row as object) as unknown));
  expect(found.map((row) => Object.keys(row as object).length)).toEqual(
    rows.map((row) => Object.keys(row as object).length),
  );
});

test("nothing that Spark wrote was left out of this", () => {
  const read = new Set(reads.map(([table, what]) => `${table} ${what}`));
  const written = Object.entries(expected).flatMap(([table, all]) =>
    Object.keys(all).map((what) => `${table} ${what}`),
  );
  expect(written.filter((one) => !read.has(one))).toEqual([]);
});

test("filters and positions see the same rows as a whole scan, with vectors, defaults and equality deletes", async () => {
  const ids = async (table: string, options: Partial<PlanScanOptions>): Promise<unknown[]> =>
    (await read(table, options)).map((row) => (row as { id: number }).id);
  expect(await ids("vectors", { where: and(gte("id", 495), lt("id", 905)) })).toEqual([
    495, 496, 498, 499, 901, 902, 904,
  ]);
  expect(await ids("defaults", { where: eq("n", 7) })).toEqual([1]);
  expect(await ids("equality", { where: eq("v", "again2") })).toEqual([0, 1, 2, 3, 4]);
});
