// SQL of the engines that take it: names, types and values in each dialect. A value is written as the text that the
// features have, cast to its type, so that no literal's own type comes between.
const doubled = (text) => text.replaceAll("'", "''");
const backslashed = (text) => text.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
const spaced = (text) => text.replace("T", " ").replace(/Z$/, "");

const ansi = {
  name: (text) => `"${text.replaceAll('"', '""')}"`,
  string: (text) => `'${doubled(text)}'`,
  instant: (text, type) => `CAST('${spaced(text)}+00:00' AS ${type})`,
  bytes: (hex) => `X'${hex}'`,
};

export const duckdb = {
  ...ansi,
  types: {
    ...{ boolean: "BOOLEAN", int: "INTEGER", long: "BIGINT", float: "FLOAT", double: "DOUBLE", string: "VARCHAR" },
    ...{ binary: "BLOB", date: "DATE", timestamp: "TIMESTAMP", timestamptz: "TIMESTAMPTZ" },
  },
  bytes: (hex) => `from_hex('${hex}')`,
  listType: (item) => `${item}[]`,
  mapType: (key, value) => `MAP(${key}, ${value})`,
  structType: (fields) => `STRUCT(${fields.map(([name, type]) => `${duckdb.name(name)} ${type}`).join(", ")})`,
  list: (items) => `[${items.join(", ")}]`,
  map: (pairs) => `MAP {${pairs.map(([key, value]) => `${key}: ${value}`).join(", ")}}`,
  struct: (fields) => `{${fields.map(([name, value]) => `'${name}': ${value}`).join(", ")}}`,
};

export const trino = {
  ...ansi,
  types: {
    ...{ boolean: "boolean", int: "integer", long: "bigint", float: "real", double: "double", string: "varchar" },
    ...{ binary: "varbinary", date: "date", timestamp: "timestamp(6)", timestamptz: "timestamp(6) with time zone" },
  },
  instant: (text, type) => `CAST('${spaced(text)} UTC' AS ${type})`,
  listType: (item) => `array(${item})`,
  mapType: (key, value) => `map(${key}, ${value})`,
  structType: (fields) => `row(${fields.map(([name, type]) => `${trino.name(name)} ${type}`).join(", ")})`,
  list: (items) => `ARRAY[${items.join(", ")}]`,
  map: (pairs) =>
    `MAP(ARRAY[${pairs.map(([key]) => key).join(", ")}], ARRAY[${pairs.map(([, value]) => value).join(", ")}])`,
  struct: (fields) => `ROW(${fields.map(([, value]) => value).join(", ")})`,
};

const backticks = (text) => `\`${text.replaceAll("`", "``")}\``;

export const spark = {
  name: backticks,
  string: (text) => `'${backslashed(text)}'`,
  instant: (text, type) => `CAST('${spaced(text)}+00:00' AS ${type})`,
  bytes: ansi.bytes,
  types: {
    ...{ boolean: "boolean", int: "int", long: "bigint", float: "float", double: "double", string: "string" },
    ...{ binary: "binary", date: "date", timestamp: "timestamp_ntz", timestamptz: "timestamp" },
  },
  listType: (item) => `array<${item}>`,
  mapType: (key, value) => `map<${key}, ${value}>`,
  structType: (fields) => `struct<${fields.map(([name, type]) => `${backticks(name)}: ${type}`).join(", ")}>`,
  list: (items) => `array(${items.join(", ")})`,
  map: (pairs) => `map(${pairs.flat().join(", ")})`,
  struct: (fields) => `named_struct(${fields.flatMap(([name, value]) => [`'${name}'`, value]).join(", ")})`,
};

/** For questions alone. */
export const flink = {
  name: backticks,
  string: ansi.string,
  instant: (text, type) => `CAST('${spaced(text)}' AS ${type})`, // the session's zone is UTC
  types: {
    ...{ boolean: "BOOLEAN", int: "INT", long: "BIGINT", float: "FLOAT", double: "DOUBLE", string: "STRING" },
    ...{ binary: "BYTES", date: "DATE", timestamp: "TIMESTAMP(6)", timestamptz: "TIMESTAMP_LTZ(6)" },
  },
};

/** For questions alone. */
export const clickhouse = {
  name: backticks,
  string: spark.string,
  instant: (text, type) => `CAST('${spaced(text)}' AS ${type})`,
  types: {
    ...{ boolean: "Bool", int: "Int32", long: "Int64", float: "Float32", double: "Float64", string: "String" },
    ...{ binary: "String", date: "Date32", timestamp: "DateTime64(6, 'UTC')", timestamptz: "DateTime64(6, 'UTC')" },
  },
};

export function sqlType(dialect, type) {
  if (type.list) return dialect.listType(sqlType(dialect, type.list));
  if (type.map) return dialect.mapType(...type.map.map((part) => sqlType(dialect, part)));
  if (type.struct)
    return dialect.structType(Object.entries(type.struct).map(([name, field]) => [name, sqlType(dialect, field)]));
  return type.startsWith("decimal") ? type : dialect.types[type];
}

function sqlValue(dialect, type, value) {
  const target = sqlType(dialect, type);
  if (value === null) return `CAST(NULL AS ${target})`;
  if (type.list) return `CAST(${dialect.list(value.map((item) => sqlValue(dialect, type.list, item)))} AS ${target})`;
  if (type.map) {
    const pairs = value.map((pair) => pair.map((part, index) => sqlValue(dialect, type.map[index], part)));
    return `CAST(${dialect.map(pairs)} AS ${target})`;
  }
  if (type.struct) {
    const fields = Object.entries(type.struct).map(([name, field]) => [name, sqlValue(dialect, field, value[name])]);
    return `CAST(${dialect.struct(fields)} AS ${target})`;
  }
  if (type === "string") return dialect.string(value);
  if (type === "binary") return dialect.bytes(value);
  if (type === "timestamptz") return dialect.instant(value, target);
  return `CAST('${type === "timestamp" ? spaced(value) : value}' AS ${target})`;
}

/** A SELECT of rows, with the columns' names. */
export function selectRows(dialect, columns, rows) {
  const names = columns.map(({ name }) => dialect.name(name)).join(", ");
  return `SELECT * FROM (VALUES ${valuesOf(dialect, columns, rows)}) AS rows_of(${names})`;
}

export function valuesOf(dialect, columns, rows) {
  const row = (values) => `(${columns.map(({ type }, index) => sqlValue(dialect, type, values[index])).join(", ")})`;
  return rows.map(row).join(", ");
}

/** ` WHERE …` of a question, or nothing. */
export function whereSql(dialect, columns, where) {
  if (!where) return "";
  const [column, comparison, value] = where;
  const { type } = columns.find(({ name }) => name === column);
  return ` WHERE ${dialect.name(column)} ${comparison} ${sqlValue(dialect, type, value)}`;
}

export const columnNames = (dialect, columns) => columns.map(({ name }) => dialect.name(name)).join(", ");
