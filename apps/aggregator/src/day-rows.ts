/**
 * Rows of days that a round needs: those of touched days from rows of raw; or, in a lane of weeks and months, the
 * published ones of all days of touched periods.
 */
import { daysOf, type RollupDefinition } from "@firn/core";
import { and, gte, lte, planScan, type Predicate, scanSql, sqlName } from "@firn/lake";
import {
  dayRowsOfTableSql,
  dayRowsSql,
  dimensionList,
  lastDayOfPeriodSql,
  periodOfSql,
  periodStart,
  sourceColumns,
} from "./rollup-sql.ts";
import { type RoundParts, tableOf } from "./round-parts.ts";
import { dateLiteral, namedKeys, rawPredicate, type Slice, slicePredicate } from "./slices.ts";

/** Fills the table `name` for the windows of days in the table `windows`, to which it may add days of their periods. */
export async function fillDayRows(parts: RoundParts, slice: Slice, windows: string, name: string): Promise<void> {
  if (parts.days) return fillFromPublished(parts, parts.days, slice, windows, name);
  if (parts.rollups.some((rollup) => rollup.period !== "day")) await addDaysOfPeriods(parts, windows);
  await fillFromRaw(parts, windows, name);
}

async function fillFromRaw(parts: RoundParts, windows: string, name: string): Promise<void> {
  const { connection, dataset, env, raw, snapshotId, defaultZone } = parts;
  const where = await rawPredicate(connection, dataset, windows);
  const plan = await planScan({ env, table: raw, snapshotId, ...(where ? { where } : {}) });
  const rows = await scanSql(plan, { columns: sourceColumns(dataset), store: env.store });
  const date = sqlName(dataset.time.localDate);
  const same = daysOf(dataset).dimensions.map((dimension) => `w.${sqlName(dimension)} = s.${sqlName(dimension)}`);
  const touched = `(SELECT s.* FROM (${rows}) s SEMI JOIN ${windows} w ON ${[...same, `w.${periodStart} = s.${date}`].join(" AND ")})`;
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${name} AS ${dayRowsSql(dataset, touched, defaultZone)}`);
}

/** Where days are not published, a touched week or month needs all of its days. */
async function addDaysOfPeriods({ connection, dataset, rollups }: RoundParts, windows: string): Promise<void> {
  const days = rollups.map(
    (rollup) => `SELECT ${dimensionList(dataset)}, CAST(unnest(generate_series(CAST(period AS TIMESTAMP),
        CAST(${lastDayOfPeriodSql(rollup, "period")} AS TIMESTAMP), INTERVAL 1 DAY)) AS DATE) AS ${periodStart}
      FROM (SELECT DISTINCT ${dimensionList(dataset)}, ${periodOfSql(rollup, periodStart)} AS period FROM ${windows})`,
  );
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${windows} AS SELECT DISTINCT * FROM (${days.join(" UNION ALL ")})`,
  );
}

async function fillFromPublished(
  parts: RoundParts,
  days: RollupDefinition,
  slice: Slice,
  windows: string,
  name: string,
): Promise<void> {
  const { connection, dataset, env } = parts;
  const [span] = await connection.rows<{ first: number | null; last: number | null }>(
    `SELECT CAST(min(least(date_trunc('week', ${periodStart}), date_trunc('month', ${periodStart}))) AS DATE) AS first,
       max(greatest(date_trunc('week', ${periodStart})::DATE + 6, last_day(${periodStart}))) AS last
     FROM ${windows}`,
  );
  const conditions: Predicate[] = [];
  if (typeof span?.first === "number" && typeof span.last === "number") {
    const literal = (day: number) => dateLiteral(days.table, days.periodColumns.start, day);
    conditions.push(
      gte(days.periodColumns.start, literal(span.first)),
      lte(days.periodColumns.start, literal(span.last)),
    );
  }
  const inSlice = slicePredicate(dataset, slice);
  if (inSlice) conditions.push(inSlice);
  const named = await namedKeys(connection, dataset, windows);
  if (named) conditions.push(named);
  const plan = await planScan({ env, table: tableOf(parts, days), where: and(...conditions) });
  const same = daysOf(dataset).dimensions.map((dimension) => `w.${sqlName(dimension)} = p.${sqlName(dimension)}`);
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${name} AS
    SELECT p.* FROM (${await publishedDaysSql(parts, days, plan)}) p SEMI JOIN ${windows} w ON ${same.join(" AND ")}`);
}

/** A SELECT of day rows (as `dayRowsSql` makes them) from planned files of the rollup of days. */
export async function publishedDaysSql(
  { dataset, defaultZone, env }: RoundParts,
  days: RollupDefinition,
  plan: Awaited<ReturnType<typeof planScan>>,
): Promise<string> {
  const { start, timezone } = days.periodColumns;
  const measures = days.measures.map((measure) => measure.column);
  const columns = [...days.dimensions, start, ...(timezone === undefined ? [] : [timezone]), ...measures];
  return dayRowsOfTableSql(dataset, days, `(${await scanSql(plan, { columns, store: env.store })})`, defaultZone);
}
