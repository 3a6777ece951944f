/**
 * Reads what `resolveBatch` needs of a batch or of table rows: digests and places as plain typed arrays, so that no
 * value is made for each row.
 */
import type { TableDefinition } from "@firn/core";
import type { KernelConnection } from "@firn/lake";
import { removedPartition, wordsOf } from "./key-index/identity-keys.ts";
import type { KeyIndex } from "./key-index/key-index.ts";
import { locatingFields, nameOfValuesSql, partitionValuesSql } from "./partition-name.ts";
import { contentDigestSql, identityDigestSql } from "./record-sql.ts";
import type { BatchKeys } from "./resolve.ts";

export interface KeyShape {
  readonly definition: TableDefinition;
  readonly identity: readonly string[];
  readonly content: readonly string[];
}

/** Columns that digests and places are made from. */
export function keyColumns({ content, definition, identity }: KeyShape): string[] {
  return [...new Set([...identity, ...content, ...definition.partition.map((field) => field.source)])];
}

/** Columns that say which partition a row is in. */
export function placeColumns(definition: TableDefinition): string[] {
  return [...new Set(locatingFields(definition).map((field) => field.source))];
}

/** SQL of a row's digests. */
export interface Digests {
  readonly identity: string;
  readonly content: string;
}

export function digestsSql({ content, definition, identity }: KeyShape): Digests {
  return { identity: identityDigestSql(identity), content: contentDigestSql(definition, content) };
}

/**
 * Digests, place and kind of every row of a relation, in its order.
 *
 * @param tombstone SQL of the row's kind (1: tombstone)
 * @param order SQL of the arrival order; absent where the order does not matter
 * @param digests of a relation that has them already: it needs only the columns of places then
 */
export async function readKeys(
  connection: KernelConnection,
  shape: KeyShape,
  index: KeyIndex,
  relation: string,
  tombstone: string,
  order?: string,
  digests = digestsSql(shape),
): Promise<BatchKeys> {
  const places = `places_${calls++}`;
  try {
    const same = await storePlaces(
      connection,
      shape.definition,
      index,
      places,
      `${relation} AS records WHERE ${tombstone} = 0`,
    );
    return await collect(
      connection,
      `SELECT ${digests.identity} AS identity, ${digests.content} AS content,
      CAST(${tombstone} AS UTINYINT) AS tombstone, coalesce(__firn_ordinal, ${removedPartition})::INTEGER AS ordinal
    FROM ${relation} AS records LEFT JOIN ${places} AS places ON ${same}${order === undefined ? "" : ` ORDER BY records.${order}`}`,
    );
  } finally {
    await connection.run(
      `DROP TABLE IF EXISTS ${places}; DROP TABLE IF EXISTS ${places}_values; DROP TABLE IF EXISTS ${places}_ordinals`,
    );
  }
}

/** Reads share a connection, and their statements may come between each other's: each has temporary tables of its own. */
let calls = 0;

/**
 * Makes the temporary table `table (__firn_v0, __firn_v1, …, __firn_ordinal)` of the partitions that some rows fall into.
 * @returns the condition that a record is in a place
 */
async function storePlaces(
  connection: KernelConnection,
  definition: TableDefinition,
  index: KeyIndex,
  table: string,
  rows: string,
): Promise<string> {
  const values = partitionValuesSql(definition);
  const names = values.map((_, at) => `__firn_v${at}`);
  const selected = values.map((value, at) => `${value} AS __firn_v${at}`);
  await connection.run(
    `CREATE TEMP TABLE ${table}_values AS SELECT DISTINCT ${[...selected, "true AS __firn_place"].join(", ")} FROM ${rows};
     CREATE TEMP TABLE ${table}_ordinals (__firn_ordinal INTEGER)`,
  );
  const places = await connection.rows<{ place: string }>(
    `SELECT ${nameOfValuesSql(definition, names)} AS place FROM ${table}_values ORDER BY rowid`,
  );
  const ordinals = places.map(({ place }) => index.partitionOrdinal(place));
  await connection.appendIntegers(`${table}_ordinals`, Int32Array.from(ordinals));
  await connection.run(`CREATE TEMP TABLE ${table} AS SELECT * FROM ${table}_values POSITIONAL JOIN ${table}_ordinals`);
  return ["__firn_place", ...values.map((value, at) => `places.__firn_v${at} IS NOT DISTINCT FROM ${value}`)].join(
    " AND ",
  );
}

async function collect(connection: KernelConnection, sql: string): Promise<BatchKeys> {
  const chunks: BatchKeys[] = [];
  for await (const { data, rowCount } of connection.chunks(sql)) {
    const vector = <T>(column: number) => data.getColumnVector(column) as unknown as T;
    const keyHigh = new BigUint64Array(rowCount);
    const keyLow = new BigUint64Array(rowCount);
    // Copied, because a vector's memory goes with its chunk. A UHUGEINT is its low half, then its high one.
    const { buffer, byteOffset } = vector<{ dataView: DataView }>(0).dataView;
    const words = new Uint32Array(buffer, byteOffset, rowCount * 4);
    const [high, low] = [wordsOf(keyHigh, rowCount), wordsOf(keyLow, rowCount)];
    for (let row = 0; row < rowCount; row++) {
      low[row * 2] = words[row * 4]!;
      low[row * 2 + 1] = words[row * 4 + 1]!;
      high[row * 2] = words[row * 4 + 2]!;
      high[row * 2 + 1] = words[row * 4 + 3]!;
    }
    const content = vector<{ items: BigUint64Array }>(1).items.slice(0, rowCount);
    const tombstone = vector<{ items: Uint8Array }>(2).items.slice(0, rowCount);
    const partition = vector<{ items: Int32Array }>(3).items.slice(0, rowCount);
    // The index would take it for a deletion, and what comes again would be stored again.
    if (partition.some((place, row) => place === removedPartition && tombstone[row] === 0))
      throw new Error("a record to be stored has no partition");
    chunks.push({ rows: rowCount, keyHigh, keyLow, content, tombstone, partition });
  }
  return joinedKeys(chunks);
}

/** The records of several parts of a batch, one after the other. */
export function joinedKeys(chunks: readonly BatchKeys[]): BatchKeys {
  return takenKeys(chunks.map((chunk) => ({ ...chunk })));
}

/** The same; memory of the parts is given up column by column, so that not all of it is there twice. */
export function takenKeys(chunks: Partial<BatchKeys>[]): BatchKeys {
  const rows = chunks.reduce((sum, chunk) => sum + (chunk.rows ?? 0), 0);
  const joined = <Name extends Exclude<keyof BatchKeys, "rows">>(name: Name, column: BatchKeys[Name]) => {
    let at = 0;
    for (const chunk of chunks) {
      (column as { set(part: unknown, at: number): void }).set(chunk[name], at);
      delete (chunk as { [name: string]: unknown })[name];
      at += chunk.rows ?? 0;
    }
    return column;
  };
  return {
    rows,
    keyHigh: joined("keyHigh", new BigUint64Array(rows)),
    keyLow: joined("keyLow", new BigUint64Array(rows)),
    content: joined("content", new BigUint64Array(rows)),
    tombstone: joined("tombstone", new Uint8Array(rows)),
    partition: joined("partition", new Int32Array(rows)),
  };
}
