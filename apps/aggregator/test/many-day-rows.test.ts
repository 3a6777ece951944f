import { currentSnapshot, planScan, scanSql } from "@firn/lake";
import { expect, test } from "vitest";
import { addDaysOfRaw } from "../src/many-day-rows.ts";
import { dayRowsSql, sourceColumns } from "../src/rollup-sql.ts";
import { dataset, openRaw, samplesSql } from "./raw-fixture.ts";

/** Samples, about 20 a day, whose instants are this many seconds; values that come up in no order. */
async function daysWith(instants: string): Promise<{ days: number; differing: unknown[]; firstOnes: number }> {
  const raw = await openRaw();
  try {
    const { connection, env } = raw;
    const start = `TIMESTAMPTZ '2026-03-02 08:00:00Z' + to_seconds(${instants})`;
    await raw.append(samplesSql("range(2000)", "(hash(n) % 1000) / 8", start));
    const table = await raw.table();
    const snapshotId = currentSnapshot(table.metadata)!["snapshot-id"];
    const rest = { rollups: [], days: undefined, published: new Map(), nowUs: 0, rowsPerSlice: 1, roundId: "" };
    const parts = { ...rest, env, connection, dataset, raw: table, snapshotId, defaultZone: "UTC", folder: "" };
    await addDaysOfRaw(parts, { values: ["type0"] }, "days", true);
    await addDaysOfRaw(parts, { values: ["type1"] }, "days", false);
    const scan = await scanSql(await planScan({ env, table }), { columns: sourceColumns(dataset), store: env.store });
    await connection.run(`CREATE TABLE exact AS ${dayRowsSql(dataset, `(${scan})`, "UTC")}`);
    const columns = "* EXCLUDE (sum_value, avg_value, stddev_value), round(sum_value, 9), round(stddev_value, 9)";
    return {
      days: (await connection.value<number>("SELECT count(*) FROM days")) ?? 0,
      differing: await connection.rows(
        `SELECT * FROM ((SELECT ${columns} FROM days EXCEPT ALL SELECT ${columns} FROM exact)
           UNION ALL (SELECT ${columns} FROM exact EXCEPT ALL SELECT ${columns} FROM days))`,
      ),
      firstOnes:
        (await connection.value<number>("SELECT count(*) FROM exact WHERE first_value IS DISTINCT FROM last_value")) ??
        0,
    };
  } finally {
    await raw.close();
  }
}

const instants = {
  "none twice": "n",
  "all the same": "0",
  "the first and the last of some days twice": "CASE WHEN n % 50 < 10 THEN n // 50 % 3 ELSE n END",
};
for (const [name, seconds] of Object.entries(instants)) {
  test(`days of many rows are those of whole event orders: instants ${name}`, async () => {
    const { days, differing, firstOnes } = await daysWith(seconds);
    expect(days).toBe(50);
    expect(firstOnes).toBeGreaterThan(25);
    expect(differing).toEqual([]);
  });
}
