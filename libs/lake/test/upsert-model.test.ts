import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Table } from "../src/commit/table.ts";
import { currentFiles } from "../src/commit/current-files.ts";
import { sqlString } from "../src/kernel/sql-text.ts";
import { planMerge, MERGE_POLICY } from "../src/merge/plan-merge.ts";
import { stageMerge } from "../src/merge/stage-merge.ts";
import type { Snapshot } from "../src/metadata/snapshot.ts";
import type { DefinedPartitionField } from "../src/metadata/table-definition.ts";
import { currentSnapshot } from "../src/metadata/table-metadata.ts";
import { stageRows } from "../src/parquet/stage-rows.ts";
import { planChanges } from "../src/scan/plan-changes.ts";
import { planScan } from "../src/scan/plan-scan.ts";
import type { ScanPlan } from "../src/scan/scan-plan.ts";
import { scanSql } from "../src/scan/scan-sql.ts";
import { stageUpsert } from "../src/upsert/stage-upsert.ts";
import { openFixture, type LakeFixture } from "./kernel-fixture.ts";

let lake: LakeFixture;
beforeAll(async () => {
  lake = await openFixture();
});
afterAll(() => lake.close());

interface Row {
  readonly k: string;
  readonly n: number;
  readonly at: number;
  readonly kind: string | null;
  readonly v: number | null;
  readonly tags: Readonly<Record<string, string>> | null;
}

type Step =
  | { readonly op: "upsert"; readonly rows: readonly Row[]; readonly deletes: readonly string[] }
  | { readonly op: "merge" };

const columns = [
  { name: "k", type: "string", required: true },
  { name: "n", type: "long", required: true },
  { name: "at", type: "timestamptz", required: true },
  { name: "kind", type: "string", required: false },
  { name: "v", type: "double", required: false },
  { name: "tags", type: "map<string,string>", required: false },
];

const odd = ["ä", "日本", "😀", "'", "", "a/b=c%", "x".repeat(300)];
const keys = [...odd, ...Array.from({ length: 23 }, (_, n) => `key${n}`)];
const row: fc.Arbitrary<Row> = fc.record({
  k: fc.constantFrom(...keys),
  n: fc.integer({ min: -25, max: 25 }),
  at: fc.integer({ min: -3 * 86_400, max: 3 * 86_400 }).map((seconds) => seconds * 1_000_000 + 1),
  kind: fc.constantFrom(null, "a", "a", "a", "a", "", "null", "heart/rate", "ü😀ü", "NULL", "y".repeat(260)),
  v: fc.oneof(fc.constant(null), fc.constantFrom(0, -0, 1.5, Infinity, NaN), fc.double({ noNaN: true })),
  tags: fc.oneof(fc.constant(null), fc.constantFrom({}, { a: "b" }, { "ü'": "", z: "😀" })),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant("upsert" as const),
      rows: fc.uniqueArray(row, { selector: (one) => one.k, maxLength: 24 }),
      deletes: fc.subarray(keys, { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ op: "merge" as const }) },
);

const rowShape = JSON.stringify({
  k: "VARCHAR",
  n: "BIGINT",
  micros: "BIGINT",
  kind: "VARCHAR",
  v: "VARCHAR",
  tags: "MAP(VARCHAR, VARCHAR)",
});

function rowsSql(rows: readonly Row[]): string {
  const json = JSON.stringify(
    rows.map(({ k, n, at, kind, v, tags }) => ({ k, n, micros: at, kind, v: v === null ? null : doubleText(v), tags })),
  );
  return `SELECT r.k, r.n, make_timestamptz(r.micros) AS "at", r.kind, r.v::DOUBLE AS v, r.tags
    FROM (SELECT unnest(from_json(${sqlString(json)}, '["JSON"]')) AS j) AS one,
      LATERAL (SELECT from_json(j, '${rowShape}') AS r)`;
}
const doubleText = (value: number): string => (Object.is(value, -0) ? "-0.0" : String(value));

interface StoredRow {
  k: string;
  n: number;
  at: number;
  kind: string | null;
  v: number | null;
  tags: { key: string; value: string }[] | null;
}

async function expectEqual(table: Table, model: ReadonlyMap<string, Row>): Promise<void> {
  const stored = await lake.rows<StoredRow>(table, {}, "k");
  const text = (one: Row): unknown[] => [one.k, one.n, one.at, one.kind, unsigned(one.v), one.tags];
  const found = stored.map((one) =>
    text({
      ...one,
      tags: one.tags === null ? null : Object.fromEntries(one.tags.map(({ key, value }) => [key, value])),
    }),
  );
  const expected = [...model.values()].sort((a, b) => Buffer.compare(Buffer.from(a.k), Buffer.from(b.k))).map(text);
  expect(found).toEqual(expected);
}

/** Zero without its sign: DuckDB holds 0 and -0 for one value, and a column's dictionary keeps the first of them. */
const unsigned = (value: number | null): number | null => (value === 0 ? 0 : value);

const layouts: Record<string, DefinedPartitionField[]> = {
  unpartitioned: [],
  identity: [{ source: "kind", transform: "identity", name: "kind" }],
  "day and identity": [
    { source: "at", transform: "day", name: "at_day" },
    { source: "kind", transform: "identity", name: "kind" },
  ],
  bucket: [{ source: "k", transform: "bucket[3]", name: "k_bucket" }],
  "bucket and truncate": [
    { source: "k", transform: "bucket[2]", name: "k_bucket" },
    { source: "n", transform: "truncate[10]", name: "n_trunc" },
    { source: "kind", transform: "truncate[2]", name: "kind_trunc" },
  ],
  "hour, month and year": [
    { source: "at", transform: "hour", name: "at_hour" },
    { source: "at", transform: "month", name: "at_month" },
    { source: "at", transform: "year", name: "at_year" },
  ],
};

describe.each(Object.entries(layouts))("a table partitioned by %s", (_, partition) => {
  test("equals a map after any upserts, deletions and merges", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(0, 3, 2_000),
        async (steps, copyOnWriteRows) => {
          let table = await lake.createTable({ columns, partition, sort: ["k"] });
          const model = new Map<string, Row>();
          const states: State[] = [];
          for (const one of steps) {
            table = one.op === "merge" ? await merge(table) : await upsert(table, model, one, copyOnWriteRows);
            await expectEqual(table, model);
            states.push({ snapshot: currentSnapshot(table.metadata), keys: new Set(model.keys()) });
          }
          for (const before of states.slice(0, -1)) await expectFollowed(table, before, model);
        },
      ),
      { numRuns: 8, interruptAfterTimeLimit: 25_000 },
    );
  });
});

async function upsert(
  table: Table,
  model: Map<string, Row>,
  { rows, deletes }: Extract<Step, { op: "upsert" }>,
  copyOnWriteRows: number,
): Promise<Table> {
  const { env, connection } = lake;
  const fresh = rows.every((one) => !model.has(one.k)) && deletes.length === 0;
  const deleted = deletes.filter((key) => model.has(key) && !rows.some((one) => one.k === key));
  const updated = rows.filter((one) => model.has(one.k)).length;
  for (const key of deletes) model.delete(key);
  for (const one of rows) model.set(one.k, one);
  if (fresh) {
    const addedData = await stageRows(connection, { env, table, relationSql: rowsSql(rows) });
    return lake.commit(table, { operation: "append", addedData });
  }
  const staged = await stageUpsert(connection, {
    env,
    table,
    rowsSql: rowsSql(rows),
    deleteKeysSql: `SELECT unnest([${deletes.map(sqlString).join(", ")}]::VARCHAR[]) AS k`,
    keyColumns: ["k"],
    copyOnWriteRows,
    copyOnWriteShare: 0.5,
  });
  expect(staged).toMatchObject({ inserted: rows.length - updated, updated, deleted: deleted.length });
  return lake.commit(table, { operation: "overwrite", ...staged });
}

async function merge(table: Table): Promise<Table> {
  const files = await currentFiles(lake.env, table);
  const plan = planMerge(table.metadata, files, { ...MERGE_POLICY, fanIn: 2, deletedShareMax: 0.01 });
  const change = await stageMerge(lake.connection, { env: lake.env, table, plan });
  return change === undefined ? table : lake.commit(table, change);
}

interface State {
  readonly snapshot: Snapshot | undefined;
  readonly keys: ReadonlySet<string>;
}

/** An index of keys that takes out what went since a snapshot and puts in what came has the keys of the table. */
async function expectFollowed(table: Table, before: State, model: ReadonlyMap<string, Row>): Promise<void> {
  const { env, connection } = lake;
  const to = currentSnapshot(table.metadata);
  if (before.snapshot === undefined || to === undefined) return;
  const changes = await planChanges(env, table, before.snapshot["snapshot-id"], to["snapshot-id"]);
  const index = new Set(before.keys);
  const keysOf = async (plan: ScanPlan, rows: "live" | "deleted") => {
    const sql = await scanSql(plan, { store: env.store, columns: ["k"], rows });
    return (await connection.rows<{ k: string }>(sql)).map(({ k }) => k);
  };
  for (const key of await keysOf(changes!.removed, "live")) index.delete(key);
  for (const key of await keysOf(changes!.deleted, "deleted")) index.delete(key);
  const plan = await planScan({ env, table });
  const tasks = plan.tasks.filter((task) => task.file.sequenceNumber > before.snapshot!["sequence-number"]);
  for (const key of await keysOf({ ...plan, tasks }, "live")) index.add(key);
  expect([...index].sort()).toEqual([...model.keys()].sort());
}
