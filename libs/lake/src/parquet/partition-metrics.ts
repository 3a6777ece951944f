import type { KernelConnection, KernelValue } from "../kernel/duck.ts";
import { sqlName } from "../kernel/sql-text.ts";
import { lowerBoundOf, upperBoundOf } from "../manifest/single-value.ts";
import { decimalType } from "../manifest/primitive-type.ts";
import { isNested, type PrimitiveType, type Schema, type StructField } from "../metadata/schema.ts";
import type { Literal } from "../scan/predicate.ts";
import type { FileMetrics } from "./file-metrics.ts";
import { PARTITION_COLUMN } from "./partitioned-relation.ts";

/** Rows and metrics of one partition of a relation, computed from the rows before they are written. */
export interface PartitionMetrics {
  readonly recordCount: number;
  readonly metrics: FileMetrics;
}

interface MeasuredColumn {
  readonly field: StructField;
  readonly type: PrimitiveType;
  readonly floating: boolean;
}

/** Code points of a bound that are read back: one more than a bound keeps, so that a cut is seen. */
const BOUND_READ = 17;

/**
 * Metrics of every partition by its number in one pass over the rows. RETURN_STATS of COPY says the same, and more
 * (sizes of columns), but takes 0.3 ms a file, half of what writing a small file takes; this takes 40 ms for 100,000
 * rows of 18 columns in 720 partitions. Nested columns have no metrics.
 */
export async function partitionMetrics(
  connection: KernelConnection,
  schema: Schema,
  rowsWithPartition: string,
): Promise<Map<number, PartitionMetrics>> {
  const columns = schema.fields.flatMap((field): MeasuredColumn[] => {
    if (isNested(field.type)) return [];
    return [{ field, type: field.type, floating: field.type === "float" || field.type === "double" }];
  });
  const rows = await connection.rows<Record<string, KernelValue>>(
    `SELECT ${PARTITION_COLUMN}, count(*) AS n${columns.map(aggregates).join("")}
     FROM ${rowsWithPartition} GROUP BY ${PARTITION_COLUMN}`,
  );
  return new Map(
    rows.map((row) => {
      const recordCount = Number(row["n"]);
      return [Number(row[PARTITION_COLUMN]), { recordCount, metrics: metricsOf(row, columns, recordCount) }];
    }),
  );
}

function aggregates({ field, type, floating }: MeasuredColumn, at: number): string {
  const column = sqlName(field.name);
  const counts = `, count(${column}) AS v${at}`;
  if (!hasBounds(type)) return counts;
  // NaN would be the maximum; bounds leave it out.
  const numbers = floating ? ` FILTER (NOT isnan(${column}))` : "";
  const nans = floating ? `, count(*) FILTER (isnan(${column})) AS nan${at}` : "";
  const low = boundSql(type, `min(${column})${numbers}`);
  const high = boundSql(type, `max(${column})${numbers}`);
  return `${counts}${nans}, ${low} AS low${at}, ${high} AS high${at}`;
}

/** Engines disagree on the order of uuids; a fixed column is not worth it. */
const hasBounds = (type: PrimitiveType): boolean => type !== "uuid" && !type.startsWith("fixed");

function boundSql(type: PrimitiveType, value: string): string {
  if (type === "string") return `left(${value}, ${BOUND_READ})`;
  if (type === "binary") return `array_slice(${value}, 1, ${BOUND_READ})`;
  return decimalType(type) === undefined ? value : `replace((${value})::VARCHAR, '.', '')`;
}

function metricsOf(row: Record<string, KernelValue>, columns: readonly MeasuredColumn[], records: number): FileMetrics {
  const valueCounts = new Map<number, number>();
  const nullValueCounts = new Map<number, number>();
  const nanValueCounts = new Map<number, number>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  for (const [at, { field, type, floating }] of columns.entries()) {
    valueCounts.set(field.id, records);
    nullValueCounts.set(field.id, records - Number(row[`v${at}`]));
    if (floating) nanValueCounts.set(field.id, Number(row[`nan${at}`]));
    const low = literal(type, row[`low${at}`]);
    const high = literal(type, row[`high${at}`]);
    if (low !== undefined) lowerBounds.set(field.id, lowerBoundOf(type, low === 0 && floating ? -0 : low));
    const upper = high === undefined ? undefined : upperBoundOf(type, high === 0 && floating ? 0 : high);
    if (upper !== undefined) upperBounds.set(field.id, upper);
  }
  return { valueCounts, nullValueCounts, nanValueCounts, lowerBounds, upperBounds };
}

function literal(type: PrimitiveType, value: KernelValue): Literal | undefined {
  if (value === null || value === undefined) return undefined;
  return decimalType(type) === undefined ? (value as Literal) : BigInt(value as string);
}
