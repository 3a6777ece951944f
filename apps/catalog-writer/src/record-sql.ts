/**
 * SQL text for the writer: how messages become a batch table, and what identity, content and place of a row are.
 *
 * The same expressions run over a batch and over the table itself, so that a rebuilt key index equals the one that
 * grew with the commits.
 */
import {
  COLUMN_PREFIX,
  type ColumnType,
  DICTIONARY_PREFIX,
  INDEX_PREFIX,
  OP_COLUMN,
  type TableDefinition,
} from "@firn/core";
import { definedType, duckType, sqlName, sqlString } from "@firn/lake";

/** How a column travels in a message's JSON (timestamps as microseconds, dates as days). */
function transportType(type: ColumnType): string {
  if (type === "date") return "INTEGER";
  return type === "timestamptz" ? "BIGINT" : duckType(definedType(type));
}

function fromTransport(type: ColumnType, value: string): string {
  if (type === "timestamptz") return `make_timestamptz(${value})`;
  if (type === "date") return `DATE '1970-01-01' + ${value}`;
  return value;
}

/**
 * The rows of column batches (libs/core column-batch.ts), JSON objects one after the other in a file, with `_op`. Each
 * column of each batch is there value by value, or as a dictionary and places in it.
 */
export function loadColumnBatchesSql(definition: TableDefinition, file: string, objectBytesMax: number): string {
  const arrays = [
    ...definition.columns.map((column) => ({ name: column.name, type: transportType(column.type) })),
    { name: OP_COLUMN, type: "UTINYINT" },
  ];
  const read = arrays.flatMap(({ name, type }) => [
    `${sqlName(COLUMN_PREFIX + name)}: '${type}[]'`,
    `${sqlName(DICTIONARY_PREFIX + name)}: '${type}[]'`,
    `${sqlName(INDEX_PREFIX + name)}: 'UINTEGER[]'`,
  ]);
  const unnested = arrays.map(({ name }) => {
    const [column, dictionary, index] = [COLUMN_PREFIX, DICTIONARY_PREFIX, INDEX_PREFIX].map((key) =>
      sqlName(key + name),
    );
    return `CASE WHEN ${dictionary} IS NULL THEN unnest(${column}) ELSE ${dictionary}[unnest(${index}) + 1] END AS ${sqlName(name)}`;
  });
  const values = definition.columns.map((column) => valueSql(column, sqlName(column.name)));
  return `SELECT ${values.join(", ")}, ${sqlName(OP_COLUMN)} FROM (
      SELECT ${unnested.join(", ")} FROM ${readJsonSql(file, objectBytesMax, read.join(", "))})`;
}

/** The records of rejected batches (libs/core dead-letter.ts), likewise. */
export function loadRejectedBatchesSql(definition: TableDefinition, file: string, objectBytesMax: number): string {
  const fields = definition.columns.map((column) => `${sqlName(column.name)} ${transportType(column.type)}`);
  const values = definition.columns.map((column) => valueSql(column, `record.${sqlName(column.name)}`));
  const struct = `STRUCT(${fields.join(", ").replaceAll("'", "''")})[]`;
  return `SELECT ${values.join(", ")}, 0::UTINYINT AS ${sqlName(OP_COLUMN)} FROM (
      SELECT unnest(records) AS record FROM ${readJsonSql(file, objectBytesMax, `records: '${struct}'`)})`;
}

function valueSql({ name, type }: TableDefinition["columns"][number], value: string): string {
  return `(${fromTransport(type, value)})::${duckType(definedType(type))} AS ${sqlName(name)}`;
}

function readJsonSql(file: string, objectBytesMax: number, columns: string): string {
  return `read_json(${sqlString(file)}, format = 'unstructured', maximum_object_size = ${objectBytesMax}, columns = {${columns}})`;
}

/**
 * 128-bit digest of a row's identity, a UHUGEINT: MD5 over the identity columns, all but the last behind their length
 * in bytes, so that no two identities share a text.
 */
export function identityDigestSql(identity: readonly string[]): string {
  const parts = identity.map((column, index) => {
    const text = `CAST(${sqlName(column)} AS VARCHAR)`;
    return index === identity.length - 1 ? text : `strlen(${text}), ':', ${text}`;
  });
  return `md5_number(concat(${parts.join(", ")}))`;
}

/** 64-bit digest of a row's content, a UBIGINT; the order of a map's keys does not matter, an empty map equals none. */
export function contentDigestSql(definition: TableDefinition, content: readonly string[]): string {
  if (content.length === 0) return "0::UBIGINT";
  const values = content.map((name) => {
    const column = definition.columns.find((candidate) => candidate.name === name);
    if (!column) throw new Error(`content column ${name} is not in ${definition.name}`);
    if (column.type !== "map<string,string>") return sqlName(name);
    return `CASE WHEN cardinality(${sqlName(name)}) > 0 THEN list_sort(map_entries(${sqlName(name)})) END`;
  });
  return `hash(${values.join(", ")})`;
}
