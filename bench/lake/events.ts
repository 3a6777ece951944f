/**
 * The rows of the benchmark: events with an id, by day. Row `n` is always the same, so both sides and every run have the
 * same data; days follow each other as rows do, as in a lake that grows.
 */
import type { DefinedTable } from "@firn/lake";

export const rowsPerDay = 100_000;
export const namespace = "bench";

const columns = [
  ["id", "string"],
  ["user_id", "string"],
  ["data_type", "string"],
  ["value", "double"],
  ["unit", "string"],
  ["start_date", "timestamptz"],
  ["end_date", "timestamptz"],
  ["source", "string"],
  ["app_version", "string"],
  ["timezone", "string"],
  ["timezone_offset", "int"],
  ["local_date", "date"],
] as const;

/** A table of events, partitioned by the identity of these columns. */
export function eventsTable(name: string, partition: readonly string[] = ["local_date"]): DefinedTable {
  return {
    namespace,
    name,
    columns: columns.map(([column, type]) => ({ name: column, type, required: false })),
    identity: [],
    partition: partition.map((source) => ({ source, transform: "identity", name: source })),
    sort: [],
    properties: {},
  };
}

/** SQL of rows by their numbers. @param numbers a relation with a column `n` @param change added to each value */
export function eventsSql(numbers: string, change = 0): string {
  return `SELECT format('5b1f0c9e-0c3f-4001-a9b7-{:012d}', n) AS id, 'user-' || lpad((hash(n) % 5000)::VARCHAR, 5, '0') AS user_id,
      'type' || n % 12 AS data_type, n % 1000 / 7 + ${change} AS value, 'count/min' AS unit, instant AS start_date,
      instant + INTERVAL 1 MINUTE AS end_date, 'com.apple.health' AS source, '3.2.1' AS app_version,
      'Europe/Berlin' AS timezone, 60::INTEGER AS timezone_offset, day AS local_date
    FROM (SELECT n, DATE '2020-01-01' + (n // ${rowsPerDay})::INTEGER AS day,
        TIMESTAMPTZ '2020-01-01 00:00:00Z' + to_days((n // ${rowsPerDay})::INTEGER)
          + to_milliseconds((n % ${rowsPerDay}) * 800) AS instant
      FROM ${numbers})`;
}

/** Numbers `from` … `to - 1` as a relation. */
export const numbersSql = (from: number, to: number): string => `range(${from}, ${to}) AS numbers(n)`;
