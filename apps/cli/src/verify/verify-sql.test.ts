import { datasets } from "@firn/datasets";
import type { Dataset, RollupDefinition } from "@firn/core";
import { sqlName, type KernelConnection } from "@firn/lake";
import { openLocalKernel, type LocalKernel } from "@firn/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { differencesSql, TABLE, WINDOWS } from "./compare-sql.ts";
import { makePeriods, makeWindows } from "./period-bounds.ts";
import { RAW } from "./recompute-sql.ts";

const health = datasets.get("health") as Dataset;
const rollup = (period: RollupDefinition["period"]) =>
  health.rollups.find((each) => each.period === period) as RollupDefinition;

let local: LocalKernel;
let connection: KernelConnection;

beforeAll(async () => {
  local = await openLocalKernel("verify", { memoryLimitMb: 256 });
  ({ connection } = local);
});

afterAll(() => local?.close());

beforeEach(async () => {
  await connection.run(`CREATE OR REPLACE TABLE ${RAW} (user_id VARCHAR, sample_id VARCHAR, data_type VARCHAR, value DOUBLE,
      start_date TIMESTAMPTZ, local_date DATE, timezone VARCHAR, timezone_offset INTEGER, metadata MAP(VARCHAR, VARCHAR));
    INSERT INTO ${RAW} VALUES
      ('u', 'b', 'heartRate', 60, '2026-01-01 08:00:00+00', '2026-01-01', NULL, 330, NULL),
      ('u', 'a', 'heartRate', 70, '2026-01-01 08:00:00+00', '2026-01-01', 'Europe/Berlin', NULL, NULL),
      ('u', 'c', 'heartRate', 80, '2026-01-02 08:00:00+00', '2026-01-02', 'Europe/Berlin', 60, MAP {'HKTimeZone': 'Asia/Tokyo'}),
      ('u', 'd', 'heartRate', 10, '2026-02-01 08:00:00+00', '2026-02-01', NULL, NULL, NULL)`);
});

/** Recomputes, and takes the recomputation as the table: what a right aggregate holds. */
async function prepare(of: RollupDefinition): Promise<void> {
  await makeWindows(connection, health, of, "UTC");
  await makePeriods(connection, of);
  const { start, end, year, number, windowStart, windowEnd, timezone } = of.periodColumns;
  const calendar: Record<string, string> = { [start]: "p.start_text" };
  if (timezone) calendar[timezone] = "w.zone";
  if (end) calendar[end] = "p.end_text";
  if (year) calendar[year] = "p.year";
  if (number) calendar[number] = "p.number";
  if (windowStart) calendar[windowStart] = "p.window_start";
  if (windowEnd) calendar[windowEnd] = "p.window_end";
  const columns = of.table.columns
    .filter(({ name }) => name !== of.periodColumns.updatedAt)
    .map(
      ({ name }) =>
        `${calendar[name] ?? (name === "daily_avg_of_avg" ? "w.mean_of_daily" : `w.${name}`)} AS ${sqlName(name)}`,
    );
  await connection.run(`CREATE OR REPLACE TABLE ${TABLE} AS
    SELECT ${columns.join(", ")} FROM ${WINDOWS} w JOIN periods p ON p.period = w.period AND p.zone = w.zone`);
}

const differences = (of: RollupDefinition) =>
  connection.rows<{ difference: string; user_id: string }>(`${differencesSql(of)} ORDER BY ALL`);

describe("recomputation", () => {
  it("folds days by event time and sample id, in the zone of the latest sample", async () => {
    await prepare(rollup("day"));
    const rows = await connection.rows(
      `SELECT aggregation_date, min_value, max_value, avg_value, sum_value, count, stddev_value, first_value, last_value,
        record_count, timezone, epoch_ms(window_start) AS from_ms FROM ${TABLE} ORDER BY 1`,
    );
    expect(rows).toEqual([
      {
        aggregation_date: "2026-01-01",
        min_value: 60,
        max_value: 70,
        avg_value: 65,
        sum_value: 130,
        count: 2,
        stddev_value: 5,
        first_value: 70,
        last_value: 60,
        record_count: 2,
        timezone: "+05:30",
        from_ms: Date.parse("2025-12-31T18:30:00Z"),
      },
      expect.objectContaining({ aggregation_date: "2026-01-02", timezone: "Asia/Tokyo", stddev_value: 0 }),
      expect.objectContaining({ aggregation_date: "2026-02-01", timezone: "UTC" }),
    ]);
  });

  it("folds weeks and months from rows, with the means over days", async () => {
    await prepare(rollup("week"));
    const [week] = await connection.rows(
      `SELECT * EXCLUDE (window_start, window_end) FROM ${TABLE} ORDER BY week_start_date`,
    );
    expect(week).toMatchObject({
      week_start_date: "2025-12-29",
      week_end_date: "2026-01-04",
      year: 2026,
      week_of_year: 1,
      sum_value: 210,
      count: 3,
      daily_avg_of_avg: 72.5,
      day_count: 2,
      daily_avg_of_sum: 105,
      timezone: "Asia/Tokyo",
    });
    await prepare(rollup("month"));
    expect(await connection.rows(`SELECT month, month_end_date, avg_value FROM ${TABLE} ORDER BY 1`)).toEqual([
      { month: 1, month_end_date: "2026-01-31", avg_value: 70 },
      { month: 2, month_end_date: "2026-02-28", avg_value: 10 },
    ]);
  });
});

describe.each(["day", "week", "month"] as const)("comparison of a %s", (period) => {
  const of = rollup(period);
  beforeEach(() => prepare(of));

  it("finds nothing in a right table, nor a difference within the tolerance", async () => {
    expect(await differences(of)).toEqual([]);
    await connection.run(
      `UPDATE ${TABLE} SET sum_value = sum_value * (1 + 5e-10), stddev_value = stddev_value + avg_value * 5e-10`,
    );
    expect(await differences(of)).toEqual([]);
  });

  it.each([
    ["sum_value = sum_value * (1 + 3e-9)", "sum_value is"],
    ["min_value = min_value + 1e-13", "min_value is"],
    ["stddev_value = stddev_value + avg_value * 3e-9", "stddev_value is"],
    ["avg_value = NULL", "avg_value is null"],
    ["avg_value = 'NaN'", "avg_value is nan"],
    ["count = count + 1", "count is"],
    ["timezone = NULL", "timezone is null"],
    ["window_end = window_end + INTERVAL 1 MICROSECOND", "window_end is"],
  ])("names the column after %s", async (change, message) => {
    await connection.run(`UPDATE ${TABLE} SET ${change}`);
    const found = await differences(of);
    expect(found.length).toBeGreaterThan(0);
    for (const { difference } of found) expect(difference).toContain(message);
  });

  it("finds rows that are missing, that raw has not, and that stand twice", async () => {
    const start = sqlName(of.periodColumns.start);
    await connection.run(`INSERT INTO ${TABLE} SELECT * FROM ${TABLE} WHERE ${start} = (SELECT min(${start}) FROM ${TABLE});
      UPDATE ${TABLE} SET user_id = 'v' WHERE ${start} = (SELECT max(${start}) FROM ${TABLE})`);
    const found = await differences(of);
    expect(found.map(({ user_id, difference }) => `${user_id}: ${difference}`).sort()).toEqual([
      "u: in the table 2 times",
      "u: in the table 2 times",
      "u: missing in the table",
      "v: in the table, but raw has no such window",
    ]);
  });
});
