import { createHealthDataset } from "@firn/datasets";
import {
  createTableRequest,
  definedIdentifier,
  type KernelConnection,
  lakeEnvironment,
  loadTable,
  MemoryCatalog,
  memoryStore,
} from "@firn/lake";
import { openLocalKernel } from "@firn/testing";
import { expect, test } from "vitest";
import { fillPeriodRows } from "../src/period-rows.ts";
import { dayRowsSql } from "../src/rollup-sql.ts";

const dataset = createHealthDataset();
const weekly = dataset.rollups.find((rollup) => rollup.period === "week")!;

/** Days from Monday on, each a list of values, as one user's rows of raw. */
async function weekOf(days: readonly (readonly number[])[]): Promise<Record<string, number>> {
  const local = await openLocalKernel("period-rows");
  const { connection, folder } = local;
  try {
    await fillDays(connection, days);
    const env = lakeEnvironment({ catalog: new MemoryCatalog(), store: memoryStore() });
    await env.catalog.createNamespace(dataset.raw.namespace.split("."), {});
    const identifier = definedIdentifier(dataset.raw);
    await env.catalog.createTable(identifier, createTableRequest(dataset.raw));
    const raw = await loadTable(env, identifier);
    const rest = {
      rollups: [weekly],
      days: undefined,
      published: new Map(),
      nowUs: 0,
      rowsPerSlice: 1,
      roundId: "",
      folder,
    };
    const parts = { env, connection, dataset, raw, snapshotId: 0n, defaultZone: "UTC", ...rest };
    await fillPeriodRows(parts, weekly, "weeks", "days");
    const [row] = await connection.rows<Record<string, number>>("SELECT * FROM weeks");
    return row!;
  } finally {
    await local.close();
  }
}

async function fillDays(connection: KernelConnection, days: readonly (readonly number[])[]): Promise<void> {
  const rows = days.flatMap((values, day) =>
    values.map((value, n) => {
      const date = `2026-03-0${day + 2}`;
      return `('u', 't', DATE '${date}', ${value.toExponential()}::DOUBLE, TIMESTAMPTZ '${date} 00:00:${String(n).padStart(2, "0")}Z', '${n}', NULL::MAP(VARCHAR, VARCHAR), 'UTC', 0)`;
    }),
  );
  const columns = "user_id, data_type, local_date, value, start_date, sample_id, metadata, timezone, timezone_offset";
  const raw = `(SELECT * FROM (VALUES ${rows.join(", ")}) AS v(${columns}))`;
  await connection.run(`CREATE TABLE days AS ${dayRowsSql(dataset, raw, "UTC")}`);
}

/** Shifted by the first value, which takes nothing away, then in two passes. */
function deviationOf(values: readonly number[]): number {
  const apart = values.map((value) => value - values[0]!);
  const mean = apart.reduce((sum, one) => sum + one, 0) / apart.length;
  return Math.sqrt(apart.reduce((sum, one) => sum + (one - mean) ** 2, 0) / apart.length);
}

test.each([
  ["of one day", [[60, 70, 80]]],
  ["of several days", [[60, 70, 80], [55], [90, 91, 92, 93]]],
  ["of values that are all alike", [[0.1, 0.1], [0.1], [0.1, 0.1, 0.1]]],
  ["of large values close together", [[1e9 + 4, 1e9 + 7], [1e9 + 13], [1e9 + 16]]],
  ["of large values a little apart", [[1e9 + 1], [1e9 + 25.5], [1e9 + 3.25]]],
  ["of larger values a little apart", [[3e10 + 1], [3e10 + 925.5], [3e10 + 3.25]]],
  ["of larger values closer together", [[1e12 + 0.5], [1e12 + 0.75], [1e12 + 0.25, 1e12 + 1]]],
  [
    "of values around zero",
    [
      [-5, 5],
      [-1e-9, 1e-9],
      [3, -3],
    ],
  ],
  ["of one far away from the others", [[1, 1, 1], [1, 1], [1e6]]],
] as const)("the deviation of a week %s is right", async (_, days) => {
  const row = await weekOf(days);
  const values = days.flat();
  const expected = deviationOf(values);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(row["day_count"]).toBe(days.length);
  expect(Math.abs(row["stddev_value"]! - expected)).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(mean), expected));
});
