// What engines cannot do, with the reason and where it is told. A limit is tried all the same: a cell that works although
// a limit names it fails, so that this list stays true. `pattern` is what the failure says.

const INT_TO_LONG =
  "Iceberg 1.11's vectorized reader fails on int columns widened to long where the file names the int's width, as DuckDB's Parquet writer does, which is Firn's too; mended upstream since. `spark.sql.iceberg.vectorization.enabled=false` reads them.";

/** {id, writer?, reader?, feature, pattern, reason, issue}: without a reader a limit of writing; "*" stands for all. */
export const limits = [
  {
    id: "pyiceberg-deletes",
    writer: "PyIceberg",
    feature: "position deletes",
    pattern: /total-position-deletes 0/,
    reason: "PyIceberg deletes by rewriting files; it writes no delete files (it reads them).",
    issue: "https://github.com/apache/iceberg-python/issues/3618",
  },
  {
    id: "pyiceberg-null-lists-written",
    writer: "PyIceberg",
    reader: "*",
    feature: "null collections",
    pattern: /^rows: /,
    reason: "PyIceberg writes a null list of structs as an empty list: the null is gone from the file.",
    issue: "https://github.com/apache/iceberg-python/issues/3833",
  },
  {
    id: "pyiceberg-null-lists-read",
    writer: "*",
    reader: "PyIceberg",
    feature: "null collections",
    pattern: /^rows: /,
    reason: "PyIceberg reads a null list of structs as an empty list.",
    issue: "https://github.com/apache/iceberg-python/issues/3833",
  },
  {
    id: "duckdb-null-maps",
    writer: "DuckDB",
    feature: "null collections",
    pattern: /NOT NULL constraint failed/,
    reason:
      "DuckDB takes the null count of a map's keys for null keys, and refuses a map inside a list that is null or empty.",
    issue: "https://github.com/duckdb/duckdb-iceberg/pull/715",
  },
  {
    id: "duckdb-before-1970",
    writer: "*",
    reader: "DuckDB",
    feature: "dates before 1970",
    pattern: /^rows where instant .*: 0 of 1/,
    reason:
      "DuckDB 1.5.5 rounds days before 1970 towards zero and leaves their partitions out; mended upstream since. Without a filter all rows come.",
    issue: "https://github.com/duckdb/duckdb-iceberg/pull/1361",
  },
  {
    id: "iceberg-java-int-to-long",
    writer: "Firn",
    reader: "Spark",
    feature: "evolved schema",
    pattern: /BigIntVector cannot be cast to/,
    reason: INT_TO_LONG,
    issue: "https://github.com/apache/iceberg/issues/16341",
  },
  {
    id: "iceberg-java-int-to-long",
    writer: "DuckDB",
    reader: "Spark",
    feature: "evolved schema",
    pattern: /BigIntVector cannot be cast to/,
    reason: INT_TO_LONG,
    issue: "https://github.com/apache/iceberg/issues/16341",
  },
  {
    id: "flink-past-schema",
    writer: "*",
    reader: "Flink",
    feature: "evolved schema",
    pattern: /Column 'count' not found/,
    reason:
      "Flink reads the past with the table's present schema: columns that were renamed since have their new names.",
    issue: "https://github.com/apache/iceberg/pull/2522",
  },
  {
    id: "clickhouse-before-1970",
    writer: "*",
    reader: "chDB",
    feature: "dates before 1970",
    pattern: /^rows where day .*: 0 of 1/,
    reason:
      "ClickHouse's date transforms know no numbers below zero and leave partitions before 1970 out. Without a filter all rows come.",
    issue: "https://github.com/ClickHouse/ClickHouse/issues/119579",
  },
  {
    id: "clickhouse-before-1900",
    writer: "*",
    reader: "chDB",
    feature: "dates before 1900",
    pattern: /out of allowed Date32 range/,
    reason: "ClickHouse's Date32 begins in 1900; widened upstream since.",
    issue: "https://github.com/ClickHouse/ClickHouse/pull/111534",
  },
  {
    id: "clickhouse-null-collections",
    writer: "*",
    reader: "chDB",
    feature: "null collections",
    pattern: /^rows: |TYPE_MISMATCH/,
    reason: "ClickHouse has no nullable arrays, maps and tuples: null is read as empty.",
    issue: "https://github.com/ClickHouse/ClickHouse/issues/52562",
  },
];

/** The limits that name a cell, or writing when `reader` is absent. */
export function limitsOf({ writer, reader, feature }) {
  const names = (limit, name) => limit === name || (limit === "*" && name !== undefined);
  return limits.filter(
    (limit) => limit.feature === feature && names(limit.writer, writer) && names(limit.reader, reader),
  );
}
