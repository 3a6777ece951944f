import type { ColumnDefinition } from "@firn/core";
import type { MarketRow } from "@firn/feeds";
import {
  definedIdentifier,
  type KernelConnection,
  type LakeEnvironment,
  loadTable,
  planScan,
  scanSql,
} from "@firn/lake";
import type { Queryable } from "@firn/relational";
import { escapeIdentifier } from "pg";

import { DUCKDB, POSTGRES, rowDigestSql } from "./row-digest.ts";
import type { SourceTable } from "./source-table.ts";

/** What stands on one side and not on the other. */
export interface Comparison {
  readonly source: string;
  readonly table: string;
  readonly source_rows: number;
  readonly table_rows: number;
  /** Rows of the source that the table lacks, or has with other content. */
  readonly missing: number;
  readonly different: number;
  /** Rows of the table that the source has not. */
  readonly extra: number;
  readonly checksums_equal: boolean;
  /** Some of the keys in question. */
  readonly examples: readonly string[];
}

export interface Differences {
  readonly comparison: Comparison;
  /** Rows of the source that are to be sent again, as many as were looked at in detail. */
  readonly rows: readonly MarketRow[];
}

export interface CompareParts {
  readonly database: Queryable;
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
}

interface Bucket {
  readonly bucket: string;
  readonly rows: number;
  readonly checksum: string;
}

/** Rows that one call sends again at most: many more are a migration, not a repair. */
const REPAIRED_MAX = 200_000;
const EXAMPLES_MAX = 20;

/**
 * Compares by month: counts and the sum of the rows' digests, one pass over each side. Months that differ are looked at
 * row by row.
 */
export async function compareTables(source: SourceTable, parts: CompareParts): Promise<Differences> {
  const { definition, derived } = source.target;
  // What says when a row was written is no part of the fact.
  const columns = definition.columns.filter(
    ({ name, type }) => source.columns.includes(name) && name !== derived?.column && type !== "timestamptz",
  );
  const date = columns.find(({ name, type }) => type === "date" && definition.identity.includes(name))!;
  const theirs = await sourceBuckets(source, columns, date.name, parts.database);
  const ours = await tableBuckets(source, columns, date.name, parts);
  const wrong = [...new Set([...theirs.keys(), ...ours.keys()])]
    .filter((bucket) => {
      const [one, other] = [theirs.get(bucket), ours.get(bucket)];
      return one?.rows !== other?.rows || one?.checksum !== other?.checksum;
    })
    .sort();
  const found = { missing: 0, different: 0, extra: 0, examples: [] as string[], rows: [] as MarketRow[] };
  for (const bucket of wrong) await compareBucket(source, columns, date.name, bucket, parts, found);
  const sum = (side: ReadonlyMap<string, Bucket>) => [...side.values()].reduce((total, { rows }) => total + rows, 0);
  const comparison = {
    source: source.name,
    table: `${definition.namespace}.${definition.name}`,
    source_rows: sum(theirs),
    table_rows: sum(ours),
    missing: found.missing,
    different: found.different,
    extra: found.extra,
    checksums_equal: wrong.length === 0,
    examples: found.examples,
  };
  return { comparison, rows: found.rows };
}

async function sourceBuckets(
  source: SourceTable,
  columns: readonly ColumnDefinition[],
  date: string,
  database: Queryable,
): Promise<Map<string, Bucket>> {
  const { rows } = await database.query<{ bucket: string; rows: number; checksum: string }>(
    `SELECT to_char(s.${escapeIdentifier(date)}::date, 'YYYY-MM') AS bucket, count(*) AS rows,
       sum(${rowDigestSql(columns, POSTGRES)})::text AS checksum
     FROM ${escapeIdentifier(source.name)} AS s WHERE ${source.where} GROUP BY 1`,
  );
  return new Map(rows.map((row) => [row.bucket, row]));
}

async function tableBuckets(
  source: SourceTable,
  columns: readonly ColumnDefinition[],
  date: string,
  { connection, env }: CompareParts,
): Promise<Map<string, Bucket>> {
  const rows = await connection.rows<{ bucket: string; rows: number; checksum: string }>(
    `SELECT strftime("${date}", '%Y-%m') AS bucket, count(*) AS rows,
       CAST(sum(CAST(${rowDigestSql(columns, DUCKDB)} AS HUGEINT)) AS VARCHAR) AS checksum
     FROM (${await scanOf(source, columns, env)}) GROUP BY 1`,
  );
  return new Map(rows.map((row) => [row.bucket, { ...row, rows: Number(row.rows) }]));
}

async function scanOf(
  source: SourceTable,
  columns: readonly ColumnDefinition[],
  env: LakeEnvironment,
): Promise<string> {
  const table = await loadTable(env, definedIdentifier(source.target.definition));
  return scanSql(await planScan({ env, table }), { store: env.store, columns: columns.map(({ name }) => name) });
}

interface Found {
  missing: number;
  different: number;
  extra: number;
  readonly examples: string[];
  readonly rows: MarketRow[];
}

async function compareBucket(
  source: SourceTable,
  columns: readonly ColumnDefinition[],
  date: string,
  bucket: string,
  { connection, database, env }: CompareParts,
  found: Found,
): Promise<void> {
  const identity = columns.filter(({ name }) => source.target.definition.identity.includes(name));
  const keySql = (dialect: typeof POSTGRES) => rowDigestSql(identity, dialect);
  const ours = await connection.rows<{ key: number | bigint; digest: number | bigint; text: string }>(
    `SELECT ${keySql(DUCKDB)} AS key, ${rowDigestSql(columns, DUCKDB)} AS digest,
       concat_ws(' ', ${identity.map(({ name }) => `"${name}"`).join(", ")}) AS text
     FROM (${await scanOf(source, columns, env)}) WHERE strftime("${date}", '%Y-%m') = '${bucket}'`,
  );
  const open = new Map(ours.map(({ key, digest, text }) => [String(key), { digest: String(digest), text }]));
  const name = (text: string, what: string) => {
    if (found.examples.length < EXAMPLES_MAX) found.examples.push(`${text}: ${what}`);
  };
  const { rows } = await database.query<Record<string, string | number | null>>(
    `SELECT ${source.rowsSql}, ${keySql(POSTGRES)}::text AS __key, ${rowDigestSql(columns, POSTGRES)}::text AS __digest
     FROM ${escapeIdentifier(source.name)} AS s
     WHERE ${source.where} AND to_char(s.${escapeIdentifier(date)}::date, 'YYYY-MM') = $1`,
    [bucket],
  );
  for (const { __key, __digest, ...row } of rows) {
    const stored = open.get(String(__key));
    open.delete(String(__key));
    if (stored?.digest === String(__digest)) continue;
    const text = identity.map((column) => String(row[column.name])).join(" ");
    if (stored === undefined) found.missing++;
    else found.different++;
    name(text, stored === undefined ? "not in the table" : "has other content in the table");
    if (found.rows.length < REPAIRED_MAX) found.rows.push(row);
  }
  for (const { text } of open.values()) name(text, "not in the source");
  found.extra += open.size;
}
