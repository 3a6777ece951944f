/**
 * What a rollup's table holds of computed windows. Where every window is computed, whatever changed, only rows that are
 * not there already are written: making a right table anew changes nothing.
 */
import { type Dataset, daysOf, type MeasureDefinition, type RollupDefinition } from "@firn/core";
import {
  and,
  gte,
  type KernelConnection,
  type LakeEnvironment,
  lte,
  planScan,
  type Predicate,
  scanSql,
  sqlName,
  type Table,
} from "@firn/lake";
import { periodStart } from "./rollup-sql.ts";
import { dateLiteral, namedKeys, slicePredicate, type Slice } from "./slices.ts";

/** Folds whose last digits hang on the order of the rows. */
const inexactFolds: ReadonlySet<MeasureDefinition["fold"]> = new Set([
  "avg",
  "mean_of_daily",
  "stddev_pop",
  "sum",
  "sum_per_day",
]);
/** Values that differ by this part of their size are the same value, rounded twice. */
const tolerance = 1e-12;

export interface PublishedInput {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly dataset: Dataset;
  readonly rollup: RollupDefinition;
  readonly table: Table;
  readonly slice: Slice;
}

/** Fills the table `name` with the published rows of the windows (dimensions, period_start). */
export async function fillPublished(input: PublishedInput, windows: string, name: string): Promise<void> {
  const { env, connection, dataset, rollup, table, slice } = input;
  const start = rollup.periodColumns.start;
  const [span] = await connection.rows<{ first: number | null; last: number | null }>(
    `SELECT min(${periodStart}) AS first, max(${periodStart}) AS last FROM ${windows}`,
  );
  const conditions: Predicate[] = [];
  if (typeof span?.first === "number" && typeof span.last === "number") {
    const literal = (day: number) => dateLiteral(rollup.table, start, day);
    conditions.push(gte(start, literal(span.first)), lte(start, literal(span.last)));
  }
  const inSlice = slicePredicate(dataset, slice);
  if (inSlice) conditions.push(inSlice);
  const named = await namedKeys(connection, dataset, windows);
  if (named) conditions.push(named);
  const plan = await planScan({ env, table, where: and(...conditions) });
  const columns = rollup.table.columns.map((column) => column.name);
  const rows = await scanSql(plan, { columns, store: env.store });
  const same = daysOf(dataset).dimensions.map((one) => `w.${sqlName(one)} = p.${sqlName(one)}`);
  same.push(`w.${periodStart} = CAST(p.${sqlName(start)} AS DATE)`);
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${name} AS SELECT p.* FROM (${rows}) p SEMI JOIN ${windows} w ON ${same.join(" AND ")}`,
  );
}

/** Those of the rows (the table's columns) that are not published so; a key that is published twice is written once. */
export function differingRowsSql(rollup: RollupDefinition, rows: string, published: string): string {
  const keys = rollup.table.identity.map(sqlName);
  const same = keys.map((key) => `n.${key} = p.${key}`).join(" AND ");
  return `SELECT n.* FROM (${rows}) n
    LEFT JOIN (SELECT *, true AS is_there FROM ${published} QUALIFY count(*) OVER (PARTITION BY ${keys.join(", ")}) = 1) p ON ${same}
    WHERE p.is_there IS NULL OR ${differencesSql(rollup)}`;
}

/** The rows, with the time of the published row's last change where it has the same values. */
export function keepUpdatedAtSql(rollup: RollupDefinition, rows: string, published: string): string {
  const { updatedAt } = rollup.periodColumns;
  if (updatedAt === undefined) return rows;
  const keys = rollup.table.identity.map(sqlName);
  const same = keys.map((key) => `n.${key} = p.${key}`).join(" AND ");
  const at = sqlName(updatedAt);
  return `SELECT n.* REPLACE (CASE WHEN p.is_there AND NOT (${differencesSql(rollup)}) THEN p.${at} ELSE n.${at} END AS ${at})
    FROM (${rows}) n LEFT JOIN (SELECT *, true AS is_there FROM (${published})
      QUALIFY count(*) OVER (PARTITION BY ${keys.join(", ")}) = 1) p ON ${same}`;
}

/** Those of the keys that are published. */
export function publishedKeysSql(rollup: RollupDefinition, keys: string, published: string): string {
  const same = rollup.table.identity.map((key) => `k.${sqlName(key)} = p.${sqlName(key)}`).join(" AND ");
  return `SELECT k.* FROM (${keys}) k SEMI JOIN ${published} p ON ${same}`;
}

/** Whether the row `n` has other values than the published row `p`. */
function differencesSql(rollup: RollupDefinition): string {
  return rollup.table.columns
    .filter(({ name }) => name !== rollup.periodColumns.updatedAt && !rollup.table.identity.includes(name))
    .map(({ name }) => differsSql(rollup, name))
    .join(" OR ");
}

function differsSql(rollup: RollupDefinition, column: string): string {
  const name = sqlName(column);
  const differs = `n.${name} IS DISTINCT FROM p.${name}`;
  const fold = rollup.measures.find((measure) => measure.column === column)?.fold;
  if (fold === undefined || !inexactFolds.has(fold)) return differs;
  const sizes = [`abs(n.${name})`, `abs(p.${name})`];
  // The deviation of large values that are all alike is rounding as a whole: its size is that of the values.
  const mean = rollup.measures.find((measure) => measure.fold === "avg");
  if (fold === "stddev_pop" && mean) sizes.push(`abs(n.${sqlName(mean.column)})`);
  const near = `abs(n.${name} - p.${name}) <= ${tolerance} * greatest(${sizes.join(", ")})`;
  return `(${differs} AND NOT coalesce(${near}, false))`;
}
