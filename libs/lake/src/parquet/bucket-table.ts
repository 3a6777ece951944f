import type { KernelConnection } from "../kernel/duck.ts";
import { sqlName } from "../kernel/sql-text.ts";
import { decimalType } from "../manifest/primitive-type.ts";
import type { PrimitiveType } from "../metadata/schema.ts";
import type { Literal } from "../scan/predicate.ts";
import { compileTransform, type Transform } from "../transform/transform.ts";

/**
 * Makes the temporary table `name (v, b)`: every distinct value of a column with its bucket. The hash is computed here
 * over the distinct values and joined back to the rows, because DuckDB has no murmur3.
 */
export async function createBucketTable(
  connection: KernelConnection,
  options: { name: string; transform: Transform; type: PrimitiveType; column: string; relation: string },
): Promise<void> {
  const { name, transform, type, column, relation } = options;
  const values = sqlName(`${name}_values`);
  const buckets = `${name}_buckets`;
  await connection.run(
    `CREATE TEMP TABLE ${values} AS SELECT DISTINCT ${sqlName(column)} AS v FROM ${relation} WHERE ${sqlName(column)} IS NOT NULL;
     CREATE TEMP TABLE ${sqlName(buckets)} (b INTEGER)`,
  );
  await connection.appendIntegers(buckets, await bucketsOf(connection, values, transform, type));
  await connection.run(
    `CREATE TEMP TABLE ${sqlName(name)} AS SELECT v, b FROM ${values} POSITIONAL JOIN ${sqlName(buckets)};
     DROP TABLE ${values}; DROP TABLE ${sqlName(buckets)}`,
  );
}

async function bucketsOf(
  connection: KernelConnection,
  values: string,
  transform: Transform,
  type: PrimitiveType,
): Promise<Int32Array> {
  const rows = await connection.value<number>(`SELECT count(*) FROM ${values}`);
  const bucketOf = compileTransform(transform, type);
  const buckets = new Int32Array(rows ?? 0);
  let at = 0;
  // A decimal comes as its unscaled integer, as `Literal` says.
  const literal = decimalType(type) === undefined ? "v" : "replace(v::VARCHAR, '.', '')::HUGEINT";
  for await (const chunk of connection.chunks(`SELECT ${literal} AS v FROM ${values}`)) {
    for (const value of chunk.column(0)) buckets[at++] = Number(bucketOf(value as Literal));
  }
  return buckets;
}
