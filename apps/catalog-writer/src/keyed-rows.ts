/**
 * Reads what `resolveBatch` needs of a batch or of table rows: digests and places as plain typed arrays, so that no
 * value is made for each row.
 */
import type { TableDefinition } from "@firn/core";
import { type KernelConnection, sqlString } from "@firn/lake";
import type { KeyIndex } from "./key-index.ts";
import { contentDigestSql, identityDigestSql, partitionNameSql } from "./record-sql.ts";
import type { BatchKeys } from "./resolve.ts";

export interface KeyShape {
  readonly definition: TableDefinition;
  readonly identity: readonly string[];
  readonly content: readonly string[];
}

/**
 * Digests, place and kind of every row of a relation, in its order.
 *
 * @param tombstone SQL of the row's kind (1: tombstone)
 * @param order SQL of the arrival order; absent where the order does not matter
 */
export async function readKeys(
  connection: KernelConnection,
  shape: KeyShape,
  index: KeyIndex,
  relation: string,
  tombstone: string,
  order?: string,
): Promise<BatchKeys> {
  const place = partitionNameSql(shape.definition);
  const names = await connection.rows<{ place: string }>(
    `SELECT DISTINCT ${place} AS place FROM ${relation} WHERE ${tombstone} = 0`,
  );
  await connection.run("CREATE OR REPLACE TEMP TABLE places (place VARCHAR, ordinal INTEGER)");
  const values: string[] = [];
  for (const { place: name } of names) values.push(`(${sqlString(name)}, ${await index.partitionOrdinal(name)})`);
  if (values.length > 0) await connection.run(`INSERT INTO places VALUES ${values.join(", ")}`);
  const digest = identityDigestSql(shape.identity);
  return collect(
    connection,
    `SELECT ${digest.high} AS high, ${digest.low} AS low, ${contentDigestSql(shape.definition, shape.content)} AS content,
      CAST(${tombstone} AS UTINYINT) AS tombstone, coalesce(ordinal, -1)::INTEGER AS ordinal
    FROM ${relation} LEFT JOIN places ON places.place = ${place}${order === undefined ? "" : ` ORDER BY ${order}`}`,
  );
}

type FixedItems = BigUint64Array | Uint8Array | Int32Array;

async function collect(connection: KernelConnection, sql: string): Promise<BatchKeys> {
  const chunks: FixedItems[][] = [];
  let rows = 0;
  for await (const chunk of connection.chunks(sql)) {
    rows += chunk.rowCount;
    // Copied, because a vector's memory goes with its chunk.
    chunks.push(
      chunk.columnNames.map((_, column) =>
        (chunk.data.getColumnVector(column) as unknown as { items: FixedItems }).items.slice(0, chunk.rowCount),
      ),
    );
  }
  const keys = {
    rows,
    keyHigh: new BigUint64Array(rows),
    keyLow: new BigUint64Array(rows),
    content: new BigUint64Array(rows),
    tombstone: new Uint8Array(rows),
    partition: new Int32Array(rows),
  };
  const targets = [keys.keyHigh, keys.keyLow, keys.content, keys.tombstone, keys.partition];
  let at = 0;
  for (const columns of chunks) {
    targets.forEach((target, column) => {
      const items = columns[column];
      if (items) target.set(items as never, at);
    });
    at += columns[0]?.length ?? 0;
  }
  return keys;
}
