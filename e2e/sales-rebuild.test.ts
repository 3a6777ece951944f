import type { TableDefinition } from "@firn/core";
import { createSalesDataset } from "@firn/datasets";
import { currentSnapshot, definedIdentifier, postCommit, sqlName, stageCommit, stageUpsert } from "@firn/lake";
import { waitFor } from "@firn/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InProcessLake } from "./support/in-process-lake.ts";

/** `firn rebuild sales`: the summary anew from raw in one commit, judged against raw before it is written. */
let lake: InProcessLake;
let summary: TableDefinition;
beforeEach(async () => {
  lake = await InProcessLake.open({ dataset: createSalesDataset() });
  summary = lake.dataset.rollups[0]!.table;
  const days = ["2025-01-14", "2025-01-15", "2025-01-16"];
  const transactions = days.flatMap((transaction_date, day) =>
    Array.from({ length: 20 }, (_, n) => ({
      transaction_id: `t-${day}-${n}`,
      transaction_date,
      product_id: 101 + (n % 3),
      quantity: n === 7 ? -2 : 1 + (n % 5),
      unit_price: 29.99,
      amount: (n === 7 ? -2 : 1 + (n % 5)) * 29.99,
    })),
  );
  await lake.send([{ source: "till", transactions }]);
  await lake.settle();
});
afterEach(() => lake.close());

/** Commits rows to a table as another engine does. */
async function commitRows(definition: TableDefinition, rowsSql: string, deleteKeysSql?: string): Promise<void> {
  const table = await lake.table(definition);
  const upsert = await stageUpsert(lake.connection, {
    env: lake.env,
    table,
    rowsSql,
    keyColumns: definition.identity,
    ...(deleteKeysSql === undefined ? {} : { deleteKeysSql }),
  });
  const staged = await stageCommit(lake.env, { table, changes: [{ operation: "overwrite", ...upsert }] });
  expect((await postCommit(lake.env, staged)).kind).toBe("committed");
}

const copyOf = async (definition: TableDefinition, name: string) =>
  lake.connection.run(`CREATE OR REPLACE TABLE ${name} AS SELECT * FROM (${await lake.scan(definition)})`);

/** Doubles the revenue of these days. */
async function spoilSummary(where: string): Promise<void> {
  await copyOf(summary, "spoilt");
  await commitRows(summary, `SELECT * REPLACE (2 * total_revenue AS total_revenue) FROM spoilt WHERE ${where}`);
}

const rowsOf = async (definition: TableDefinition) =>
  (await lake.rows(definition)).map((row) => JSON.stringify(row)).sort();
const snapshotsOf = async (definition: TableDefinition) => (await lake.table(definition)).metadata.snapshots.length;

describe("tables that were dropped together", () => {
  it("stay away until an order makes them anew", async () => {
    const { catalog } = lake.env;
    const tables = [lake.dataset.raw, summary].map(definedIdentifier);
    const right = await rowsOf(summary);
    for (const table of tables) await catalog.dropTable(table, { purge: true });
    for (const part of ["sales.accepted", "sales.rollup"])
      await waitFor(async () => (await lake.parked(part)) !== undefined, { limitMs: 20_000, what: `${part} to park` });
    for (const table of tables) expect(await catalog.tableExists(table)).toBe(false);
    for (const part of ["sales.accepted", "sales.rollup"]) await lake.order(part, { acceptLoss: true });
    await waitFor(async () => catalog.tableExists(tables[1]!), { limitMs: 20_000, what: "the summary to be made" });
    await lake.settle();
    expect(await rowsOf(summary)).toEqual(right);
  });
});

describe("a rebuild of the summary", () => {
  it("of a right one writes nothing and tells the reduction", async () => {
    const report = await lake.rebuild({ validate: true });
    expect(report.rows).toBe(0);
    expect(report.validation).toEqual({
      ok: true,
      rollups: [
        {
          rollup: "daily-summary",
          ok: true,
          raw_rows: 60,
          summary_rows: 9,
          reduction_factor: 60 / 9,
          missing_windows: 0,
          unexpected_windows: 0,
          totals: [
            expect.objectContaining({ column: "total_quantity", ok: true, raw: 165, summary: 165 }),
            expect.objectContaining({ column: "total_revenue", ok: true }),
          ],
        },
      ],
    });
  });

  it("makes a range right in one commit, and leaves the days beside it", async () => {
    const right = await rowsOf(summary);
    await copyOf(summary, "stranger");
    await spoilSummary("true");
    const columns = summary.columns.map(({ name }) => sqlName(name)).join(", ");
    await commitRows(
      summary,
      `SELECT ${columns} FROM (SELECT * REPLACE (999 AS product_id) FROM stranger LIMIT 1)`,
      "SELECT transaction_date, product_id FROM stranger WHERE product_id = 102",
    );
    const before = await snapshotsOf(summary);
    const report = await lake.rebuild({ from: "2025-01-15", to: "2025-01-15", validate: true });
    expect(report.validation).toMatchObject({ ok: true, rollups: [{ raw_rows: 20, summary_rows: 3 }] });
    expect(await snapshotsOf(summary)).toBe(before + 1);
    const day = `"transaction_date":${Date.parse("2025-01-15") / 86_400_000},`;
    const ofDay = (rows: string[]) => rows.filter((row) => row.includes(day));
    expect(ofDay(await rowsOf(summary))).toEqual(ofDay(right));
    expect(await rowsOf(summary)).not.toEqual(right);
    expect((await lake.rebuild({ validate: true })).validation?.ok).toBe(true);
    expect(await rowsOf(summary)).toEqual(right);
  });

  it("whose totals are no numbers is refused, and leaves the table as it was", async () => {
    await copyOf(lake.dataset.raw, "transactions");
    await commitRows(
      lake.dataset.raw,
      `SELECT * REPLACE ('t-nan' AS transaction_id, 'NaN'::DOUBLE AS amount) FROM transactions
        WHERE transaction_date = DATE '2025-01-14' LIMIT 1`,
    );
    await lake.settle();
    await spoilSummary("transaction_date = DATE '2025-01-15'");
    const before = { rows: await rowsOf(summary), snapshot: currentSnapshot((await lake.table(summary)).metadata) };
    const report = await lake.rebuild({ validate: true });
    expect(report.rows).toBe(0);
    expect(report.validation).toMatchObject({
      ok: false,
      rollups: [{ totals: [{ ok: true }, { column: "total_revenue", raw: "NaN", ok: false }] }],
    });
    expect(await rowsOf(summary)).toEqual(before.rows);
    expect(currentSnapshot((await lake.table(summary)).metadata)).toEqual(before.snapshot);
    // A range without the bad day is right, and the stream goes on.
    expect((await lake.rebuild({ from: "2025-01-15", validate: true })).validation?.ok).toBe(true);
    expect(await rowsOf(summary)).not.toEqual(before.rows);
    expect((await lake.rebuild({ validate: false })).validation).toBeUndefined();
  });
});
