/**
 * Computes a column that depends on the row before it in its series (libs/core `NeighbourColumn`), for the rows of a
 * batch and for stored rows whose predecessor came, changed or went. Everything lands in the batch's own commit.
 *
 * The law: after every commit each row's value is what `lag` over the whole table gives.
 */
import { columnTypeOf, type NeighbourColumn, type TableDefinition } from "@firn/core";
import {
  and,
  gt,
  gte,
  isIn,
  type KernelConnection,
  type LakeEnvironment,
  lt,
  lte,
  planScan,
  type Predicate,
  scanSql,
  sqlName,
  type Table,
} from "@firn/lake";

/** Neighbours are nearly always this near; for a series that has none within it all of its files are looked at. */
const nearDays = 45;
/** Up to this many series are named in the condition; more are bounded by the first and last. */
const seriesNamedMax = 1_000;

export interface NeighbourInput {
  readonly env: LakeEnvironment;
  readonly table: Table;
  readonly definition: TableDefinition;
  readonly derived: NeighbourColumn;
  /** The batch's relation, its rowid in arrival order. */
  readonly batch: string;
  /** Temporary tables (row) of `storeActions`; rows that join the batch are added to the first two. */
  readonly actions: { readonly notNew: string; readonly replaced: string; readonly removed: string };
}

/**
 * Fills in the column in the batch's rows that are written, and adds to the batch the stored rows whose value changes,
 * as rows to be replaced.
 * @returns rowid of the first added row, and how many there are
 */
export async function deriveFromNeighbours(
  connection: KernelConnection,
  input: NeighbourInput,
): Promise<{ readonly firstAdded: number; readonly added: number }> {
  const { batch, definition, derived, actions } = input;
  const sql = namesOf(derived);
  const size = await countOf(connection, batch);
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE neighbour_touched AS
     SELECT ${sql.key}, rowid AS row, rowid IN (SELECT row FROM ${actions.removed}) AS gone FROM ${batch}
     WHERE rowid NOT IN (SELECT row FROM ${actions.notNew})
        OR rowid IN (SELECT row FROM ${actions.replaced}) OR rowid IN (SELECT row FROM ${actions.removed})`,
  );
  await loadNeighbours(connection, input);
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE neighbour_values AS
     SELECT ${sql.key}, row, stored, CASE WHEN before <> 0 THEN ${sql.of} / before - 1 END AS fresh FROM (
       SELECT *, lag(${sql.of}) OVER (PARTITION BY ${sql.series} ORDER BY ${sql.order}) AS before FROM (
         SELECT ${sql.key}, ${sql.of}, ${sql.column} AS stored, NULL::BIGINT AS row FROM neighbour_rows
         WHERE (${sql.key}) NOT IN (SELECT (${sql.key}) FROM neighbour_touched)
         UNION ALL
         SELECT ${qualified("b", derived)}, b.${sql.of}, NULL, t.row FROM ${batch} AS b
         JOIN neighbour_touched AS t ON t.row = b.rowid WHERE NOT t.gone))`,
  );
  await connection.run(
    `UPDATE ${batch} SET ${sql.column} = v.fresh FROM neighbour_values AS v WHERE v.row = ${batch}.rowid`,
  );
  const columns = definition.columns.map(({ name }) => sqlName(name));
  const fresh = columns.map((name) => (name === sql.column ? "v.fresh" : `n.${name}`));
  const same = keyColumns(derived).map((name) => `v.${sqlName(name)} = n.${sqlName(name)}`);
  const series = derived.series.map((name) => `v.${sqlName(name)} = s.${sqlName(name)}`);
  await connection.run(
    `INSERT INTO ${batch} (${columns.join(", ")}, _op)
     SELECT ${fresh.join(", ")}, 0 FROM neighbour_values AS v JOIN neighbour_rows AS n ON ${same.join(" AND ")}
     JOIN neighbour_bounds AS s ON ${series.join(" AND ")}
     WHERE v.row IS NULL AND v.${sql.order} > s.low AND v.fresh IS DISTINCT FROM v.stored`,
  );
  const added = (await countOf(connection, batch)) - size;
  for (const name of [actions.notNew, actions.replaced])
    await connection.run(`INSERT INTO ${name} SELECT rowid FROM ${batch} WHERE rowid >= ${size}`);
  for (const name of ["touched", "bounds", "rows", "values"])
    await connection.run(`DROP TABLE IF EXISTS neighbour_${name}`);
  return { firstAdded: size, added };
}

/**
 * Fills `neighbour_rows` with the stored rows around those that are touched: per series all from `nearDays` before the
 * first to `nearDays` after the last, and where a side has none the nearest beyond it.
 */
async function loadNeighbours(connection: KernelConnection, input: NeighbourInput): Promise<void> {
  const { definition, derived, env, table } = input;
  const sql = namesOf(derived);
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE neighbour_bounds AS SELECT ${sql.series}, min(${sql.order}) AS low,
     max(${sql.order}) AS high FROM neighbour_touched GROUP BY ${sql.series}`,
  );
  const columns = definition.columns.map(({ name }) => name);
  const scan = async (where: Predicate) =>
    scanSql(await planScan({ env, table, where }), { columns, store: env.store });
  const [range] = await connection.rows<{ low: number | null; high: number | null }>(
    `SELECT min(low) - DATE '1970-01-01' AS low, max(high) - DATE '1970-01-01' AS high FROM neighbour_bounds`,
  );
  const { low, high } = range!;
  const some = low === null || high === null ? undefined : { low: Number(low), high: Number(high) };
  const inSeries = await seriesPredicate(connection, derived, "SELECT * FROM neighbour_bounds");
  const near = some && [gte(derived.order, some.low - nearDays), lte(derived.order, some.high + nearDays)];
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE neighbour_rows AS SELECT s.* FROM (${await scan(and(...inSeries, ...(near ?? [])))}) AS s
     JOIN neighbour_bounds AS b USING (${sql.series})
     WHERE s.${sql.order} BETWEEN b.low - ${nearDays} AND b.high + ${nearDays}`,
  );
  if (some === undefined) return;
  for (const side of ["before", "after"] as const) {
    const [beyond, farthest] = side === "before" ? ["<", "DESC"] : [">", "ASC"];
    const edge = side === "before" ? "b.low" : "b.high";
    const alone = `SELECT b.* FROM neighbour_bounds AS b WHERE NOT EXISTS (SELECT 1 FROM neighbour_rows AS n
      WHERE ${derived.series.map((name) => `n.${sqlName(name)} = b.${sqlName(name)}`).join(" AND ")}
        AND n.${sql.order} ${beyond} ${edge})`;
    const ofAlone = await seriesPredicate(connection, derived, alone);
    if (ofAlone.length === 0) continue;
    const far = side === "before" ? lt(derived.order, some.high) : gt(derived.order, some.low);
    await connection.run(
      `INSERT INTO neighbour_rows SELECT s.* FROM (${await scan(and(...ofAlone, far))}) AS s
       JOIN (${alone}) AS b USING (${sql.series}) WHERE s.${sql.order} ${beyond} ${edge}
       QUALIFY row_number() OVER (PARTITION BY ${sql.series} ORDER BY s.${sql.order} ${farthest}) = 1`,
    );
  }
}

/** Conditions that the rows of these series meet; none where there is no series. */
async function seriesPredicate(
  connection: KernelConnection,
  { series }: NeighbourColumn,
  relation: string,
): Promise<Predicate[]> {
  const predicates: Predicate[] = [];
  for (const name of series) {
    const values = await connection.rows<{ value: number | string }>(
      `SELECT DISTINCT ${sqlName(name)} AS value FROM (${relation}) ORDER BY value`,
    );
    if (values.length === 0) return [];
    predicates.push(
      values.length <= seriesNamedMax
        ? isIn(
            name,
            values.map(({ value }) => value),
          )
        : and(gte(name, values[0]!.value), lte(name, values.at(-1)!.value)),
    );
  }
  return predicates;
}

function keyColumns({ series, order }: NeighbourColumn): string[] {
  return [...series, order];
}

function qualified(alias: string, derived: NeighbourColumn): string {
  return keyColumns(derived)
    .map((name) => `${alias}.${sqlName(name)}`)
    .join(", ");
}

function namesOf(derived: NeighbourColumn) {
  return {
    key: keyColumns(derived).map(sqlName).join(", "),
    series: derived.series.map(sqlName).join(", "),
    order: sqlName(derived.order),
    of: sqlName(derived.of),
    column: sqlName(derived.column),
  };
}

async function countOf(connection: KernelConnection, relation: string): Promise<number> {
  const [row] = await connection.rows<{ n: number }>(`SELECT count(*) AS n FROM ${relation}`);
  return Number(row!.n);
}

/** @throws Error when a declaration does not fit its table: found at start, not at the first commit */
export function assertNeighbourColumn(definition: TableDefinition, derived: NeighbourColumn): void {
  const { column, of, series, order } = derived;
  const isIdentity = [...series, order].sort().join() === [...definition.identity].sort().join();
  if (!isIdentity) throw new Error(`${definition.name}: ${series.join(", ")} and ${order} must be its identity`);
  if (columnTypeOf(definition, order) !== "date") throw new Error(`${definition.name}.${order} must be a date`);
  for (const name of [column, of])
    if (columnTypeOf(definition, name) !== "double") throw new Error(`${definition.name}.${name} must be a double`);
}
