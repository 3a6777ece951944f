import { columnTypeOf, type RollupDefinition } from "@firn/core";
import { definedType, duckType, sqlName } from "@firn/lake";

import { PERIODS } from "./recompute-sql.ts";

/** Sums, means and deviations may differ by this part of their size (promise 3). */
export const TOLERANCE = 1e-9;

/** How two values of a column are compared. */
type Comparison = "exact" | "relative" | "deviation";

interface ComparedColumn {
  readonly name: string;
  /** SQL of the recomputed value, over the recomputed windows `w` and their periods `p`. */
  readonly expected: string;
  readonly comparison: Comparison;
}

/** Name of the relation with the rows of the aggregate's table. */
export const TABLE = "table_rows";
/** Name of the relation with the windows of `recomputeSql`. */
export const WINDOWS = "windows_rows";

/**
 * Rows in which the table and the recomputation differ: the identity columns and `difference`, a sentence. One row also
 * for a window that only one of them has, and for one that the table has twice.
 */
export function differencesSql(rollup: RollupDefinition): string {
  const keys = rollup.table.identity.map(sqlName);
  const columns = comparedColumns(rollup);
  const typeOf = (name: string) => duckType(definedType(columnTypeOf(rollup.table, name)));
  const keyOf = (name: string) =>
    name === rollup.periodColumns.start
      ? `CAST(p.start_text AS ${typeOf(name)}) AS ${sqlName(name)}`
      : `w.${sqlName(name)} AS ${sqlName(name)}`;
  const expected = columns.map(({ name, expected: sql }) => `${sql} AS ${sqlName(name)}`);
  const checks = columns.map((column) => checkSql(column, rollup));
  return `WITH expected AS (
      SELECT ${[...rollup.table.identity.map(keyOf), ...expected].join(", ")}, true AS is_there
      FROM ${WINDOWS} w LEFT JOIN ${PERIODS} p ON p.period IS NOT DISTINCT FROM w.period AND p.zone IS NOT DISTINCT FROM w.zone
    ), actual AS (
      SELECT *, true AS is_there, count(*) OVER (PARTITION BY ${keys.join(", ")}) AS copies FROM ${TABLE}
    ), compared AS (
      SELECT ${rollup.table.identity.map((name) => `coalesce(e.${sqlName(name)}, a.${sqlName(name)}) AS ${sqlName(name)}`).join(", ")},
        CASE
          WHEN a.is_there IS NULL THEN 'missing in the table'
          WHEN e.is_there IS NULL THEN 'in the table, but raw has no such window'
          WHEN a.copies > 1 THEN 'in the table ' || a.copies || ' times'
          ELSE nullif(concat_ws('; ', ${checks.join(", ")}), '')
        END AS difference
      FROM expected e FULL JOIN actual a ON ${rollup.table.identity.map((name) => `e.${sqlName(name)} = a.${sqlName(name)}`).join(" AND ")}
    )
    SELECT * FROM compared WHERE difference IS NOT NULL`;
}

function comparedColumns(rollup: RollupDefinition): readonly ComparedColumn[] {
  const { end, year, number, windowStart, windowEnd, timezone } = rollup.periodColumns;
  const calendar: readonly (readonly [string | undefined, string])[] = [
    [end, end === undefined ? "" : `CAST(p.end_text AS ${duckType(definedType(columnTypeOf(rollup.table, end)))})`],
    [year, "p.year"],
    [number, "p.number"],
    [windowStart, "p.window_start"],
    [windowEnd, "p.window_end"],
    [timezone, "w.zone"],
  ];
  return [
    ...calendar.flatMap(([name, expected]) =>
      name === undefined ? [] : [{ name, expected, comparison: "exact" as const }],
    ),
    ...rollup.measures.map(({ column, fold }): ComparedColumn => {
      const expected = fold === "mean_of_daily" ? "w.mean_of_daily" : `w.${sqlName(column)}`;
      if (fold === "stddev_pop") return { name: column, expected, comparison: "deviation" };
      const isRelative = fold === "sum" || fold === "avg" || fold === "mean_of_daily" || fold === "sum_per_day";
      return { name: column, expected, comparison: isRelative ? "relative" : "exact" };
    }),
  ];
}

/** The difference of one column as text, or null. */
function checkSql({ name, comparison }: ComparedColumn, rollup: RollupDefinition): string {
  const expected = `e.${sqlName(name)}`;
  const actual = `a.${sqlName(name)}`;
  const differs = `${actual} IS DISTINCT FROM ${expected}`;
  // NaN is not near anything, but DuckDB orders it above all numbers and equal to itself.
  const scale = scaleSql(comparison, actual, expected, rollup);
  const near = `isfinite(${actual}) AND isfinite(${expected}) AND abs(${actual} - ${expected}) <= ${TOLERANCE} * ${scale}`;
  const beyond = comparison === "exact" ? "true" : `coalesce(NOT (${near}), true)`;
  const text = `'${name.replaceAll("'", "''")} is ' || coalesce(CAST(${actual} AS VARCHAR), 'null') || ', raw gives ' || coalesce(CAST(${expected} AS VARCHAR), 'null')`;
  return `CASE WHEN ${differs} AND ${beyond} THEN ${text} END`;
}

/** What a tolerance is a part of: the value itself, for a deviation the larger of it and the mean. */
function scaleSql(comparison: Comparison, actual: string, expected: string, rollup: RollupDefinition): string {
  const size = `greatest(abs(${actual}), abs(${expected}))`;
  const mean = rollup.measures.find(({ fold }) => fold === "avg")?.column;
  return comparison === "deviation" && mean !== undefined ? `greatest(${size}, abs(e.${sqlName(mean)}))` : size;
}
