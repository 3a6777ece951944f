/**
 * Cuts a round into slices that fit into memory: groups of values of the dimension that raw is partitioned by, so that
 * each slice reads files of its own.
 */
import { columnTypeOf, type Dataset, daysOf, type TableDefinition } from "@firn/core";
import { and, gte, isIn, type KernelConnection, type Literal, lt, or, type Predicate, sqlName } from "@firn/lake";

/** Rows that name the windows of one slice, about. */
export const rowsPerSliceMax = 150_000;
/** A question for so few values of the first dimension names them, so that files and row groups are skipped. */
const namedKeysMax = 500;

export interface Slice {
  /** Values of the slicing dimension; undefined: all. */
  readonly values: readonly string[] | undefined;
}

/** The dimension that raw is partitioned by as it is, if there is one. */
export function slicingDimension(dataset: Dataset): string | undefined {
  const identities = dataset.raw.partition
    .filter((field) => field.transform === "identity")
    .map((field) => field.source);
  return daysOf(dataset).dimensions.find((name) => identities.includes(name));
}

/** Rows of raw or of a rollup that belong to the slice; undefined: all. */
export function slicePredicate(dataset: Dataset, slice: Slice): Predicate | undefined {
  const dimension = slicingDimension(dataset);
  return dimension === undefined || slice.values === undefined ? undefined : isOneOf(dataset, dimension, slice.values);
}

/** Values of a dimension by their texts; dates as days. */
function isOneOf(dataset: Dataset, dimension: string, texts: readonly string[]): Predicate {
  const type = columnTypeOf(dataset.raw, dimension);
  const literal = (text: string): Literal => (type === "string" ? text : type === "long" ? BigInt(text) : Number(text));
  return isIn(dimension, texts.map(literal));
}

/** Slices of about equal size from rows by value of the slicing dimension; one where a file does not say its value. */
export function planSlices(rowsByValue: ReadonlyMap<string | null, number>, rowsPerSlice: number): Slice[] {
  if (rowsByValue.has(null)) return [{ values: undefined }];
  const slices: string[][] = [];
  let size = Infinity;
  for (const [value, rows] of [...rowsByValue].sort(([one], [other]) => (String(one) < String(other) ? -1 : 1))) {
    if (size + rows > rowsPerSlice) {
      slices.push([]);
      size = 0;
    }
    slices.at(-1)?.push(String(value));
    size += rows;
  }
  return slices.map((values) => ({ values }));
}

const microsPerDay = 86_400_000_000;

/** Whole days since the epoch as values of a column of dates: a `date`, or a string as YYYY-MM-DD. */
export function dateLiteral(table: TableDefinition, column: string, day: number): Literal {
  return columnTypeOf(table, column) === "date"
    ? day
    : new Date((day * microsPerDay) / 1000).toISOString().slice(0, 10);
}

/** A local date and its instants in UTC differ by no more than a day and the largest offset (±18 h). */
const marginUs = 18 * 3_600_000_000;

/**
 * Rows of raw that can lie in the slice's windows: by value of the slicing dimension, runs of neighbouring days, and
 * by name where few keys are asked for.
 */
export async function rawPredicate(
  connection: KernelConnection,
  dataset: Dataset,
  windows: string,
): Promise<Predicate | undefined> {
  const dimension = slicingDimension(dataset);
  const value = dimension === undefined ? "''" : valueText(columnTypeOf(dataset.raw, dimension), sqlName(dimension));
  const runs = await connection.rows<{ value: string; first: number; last: number }>(
    `SELECT value, min(day) AS first, max(day) AS last FROM (
       SELECT value, day, sum(CASE WHEN day - previous <= 2 THEN 0 ELSE 1 END) OVER (PARTITION BY value ORDER BY day) AS run
       FROM (SELECT value, day, lag(day) OVER (PARTITION BY value ORDER BY day) AS previous
             FROM (SELECT DISTINCT ${value} AS value, period_start - DATE '1970-01-01' AS day FROM ${windows})))
     GROUP BY value, run ORDER BY ALL`,
  );
  if (runs.length === 0) return undefined;
  const spans = new Map<string, string[]>();
  for (const run of runs) {
    const span = `${run.first}:${run.last}`;
    spans.set(span, [...(spans.get(span) ?? []), run.value]);
  }
  const isDate = columnTypeOf(dataset.raw, dataset.eventTime) === "date";
  const conditions = [...spans].map(([span, values]) => {
    const [first, last] = span.split(":").map(Number) as [number, number];
    return and(
      ...(dimension === undefined ? [] : [isOneOf(dataset, dimension, values)]),
      ...(isDate
        ? [gte(dataset.eventTime, first), lt(dataset.eventTime, last + 1)]
        : [
            gte(dataset.eventTime, first * microsPerDay - marginUs),
            lt(dataset.eventTime, (last + 1) * microsPerDay + marginUs),
          ]),
    );
  });
  const named = await namedKeys(connection, dataset, windows);
  return named === undefined ? or(...conditions) : and(named, or(...conditions));
}

/** A value as text, as partitions and slices name it; a date by its days since the epoch. */
export function valueText(type: string, value: string): string {
  return `CAST(${type === "date" ? `${value} - DATE '1970-01-01'` : value} AS VARCHAR)`;
}

/** `user_id IN (…)` where few are asked for. */
export async function namedKeys(
  connection: KernelConnection,
  dataset: Dataset,
  windows: string,
): Promise<Predicate | undefined> {
  const first = daysOf(dataset).dimensions.find((name) => name !== slicingDimension(dataset));
  if (first === undefined) return undefined;
  const rows = await connection.rows<{ key: string | number }>(
    `SELECT DISTINCT ${sqlName(first)} AS key FROM ${windows} LIMIT ${namedKeysMax + 1}`,
  );
  if (rows.length > namedKeysMax) return undefined;
  return isIn(
    first,
    rows.map((row) => row.key),
  );
}
