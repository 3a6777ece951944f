import type { KernelConnection, KernelValue } from "../kernel/duck.ts";
import { sqlName } from "../kernel/sql-text.ts";
import { LakeError } from "../lake-error.ts";
import type { Partition, PartitionValue } from "../manifest/data-file.ts";
import type { PrimitiveType } from "../metadata/schema.ts";
import type { BoundPartitionField } from "../transform/bound-spec.ts";
import { createBucketTable } from "./bucket-table.ts";
import { partitionExpression } from "./partition-expression.ts";
import type { WriteLayout } from "./write-layout.ts";

/** The column that holds a row's index in `partitions`; never written to a file. */
export const PARTITION_COLUMN = "__firn_partition";

/** Rows, the partitions that they fall into, and the rows with the index of their partition beside them. */
export interface PartitionedRelation {
  readonly partitions: readonly Partition[];
  /** Number of rows; undefined where the table has no partitions. */
  readonly rowCount?: number;
  /** Behind FROM. */
  readonly rows: string;
  /** Behind FROM: the rows and PARTITION_COLUMN. */
  readonly rowsWithPartition: string;
  /** Temporary tables to drop afterwards. */
  readonly temporary: readonly string[];
}

/**
 * Finds the distinct partitions of a relation. They are numbered, and rows are partitioned by that number: values in
 * folder names would need a text form that tells null, long strings and every type apart.
 */
export async function findPartitions(
  connection: KernelConnection,
  options: { layout: WriteLayout; relation: string; scratch: string },
): Promise<PartitionedRelation> {
  const { layout, relation, scratch } = options;
  const { fields } = layout.spec;
  const temporary: string[] = [];
  if (fields.length === 0) {
    const any = await connection.value(`SELECT 1 FROM ${relation} LIMIT 1`);
    return { partitions: any === undefined ? [] : [{}], rows: relation, rowsWithPartition: relation, temporary };
  }
  let joined = `${relation} AS r`;
  const expressions: string[] = [];
  for (const [at, field] of fields.entries()) {
    const column = sourceColumn(layout, field);
    if (field.transform.kind !== "bucket") {
      expressions.push(partitionExpression(field.transform, field.sourceType, `r.${sqlName(column)}`));
      continue;
    }
    const name = `${scratch}_bucket${at}`;
    temporary.push(name);
    await createBucketTable(connection, { name, transform: field.transform, type: field.sourceType, column, relation });
    joined += ` LEFT JOIN ${sqlName(name)} AS b${at} ON b${at}.v = r.${sqlName(column)}`;
    expressions.push(`b${at}.b`);
  }
  const partitionTable = `${scratch}_partitions`;
  temporary.push(partitionTable);
  const { partitions, rowCount } = await numberPartitions(connection, partitionTable, joined, expressions, fields);
  const same = expressions.map((expression, at) => `p.p${at} IS NOT DISTINCT FROM ${expression}`).join(" AND ");
  return {
    partitions,
    rowCount,
    rows: relation,
    rowsWithPartition: `(SELECT r.*, p.${PARTITION_COLUMN} FROM ${joined} JOIN ${sqlName(partitionTable)} AS p ON ${same})`,
    temporary,
  };
}

async function numberPartitions(
  connection: KernelConnection,
  table: string,
  joined: string,
  expressions: readonly string[],
  fields: readonly BoundPartitionField[],
): Promise<{ partitions: Partition[]; rowCount: number }> {
  const selected = expressions.map((expression, at) => `${expression} AS p${at}`).join(", ");
  await connection.run(
    `CREATE TEMP TABLE ${sqlName(table)} AS SELECT (row_number() OVER () - 1)::INTEGER AS ${PARTITION_COLUMN}, *
     FROM (SELECT ${selected}, count(*) AS n FROM ${joined} GROUP BY ALL ORDER BY ALL)`,
  );
  const rows = await connection.rows<Record<string, KernelValue>>(
    `SELECT * FROM ${sqlName(table)} ORDER BY ${PARTITION_COLUMN}`,
  );
  return {
    partitions: rows.map((row) =>
      Object.fromEntries(fields.map((field, at) => [field.name, partitionValue(field.resultType, row[`p${at}`])])),
    ),
    rowCount: rows.reduce((sum, row) => sum + Number(row["n"]), 0),
  };
}

function partitionValue(type: PrimitiveType, value: KernelValue): PartitionValue {
  if (value === null || value === undefined) return null;
  return type.startsWith("decimal") ? BigInt(value as number | bigint) : (value as PartitionValue);
}

function sourceColumn(layout: WriteLayout, field: BoundPartitionField): string {
  const column = layout.schema.fields.find((candidate) => candidate.id === field.sourceId);
  if (column !== undefined) return column.name;
  throw new LakeError("unsupported", `partition field ${field.name} is not over a top-level column`, {
    context: { field: field.name },
  });
}
