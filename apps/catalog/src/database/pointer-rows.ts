import { namespaceText, type TableIdentifier } from "@firn/lake";
import type { EntryKind, Pointer, PointerChange, RenameResult, SwapResult } from "./catalog-database.ts";
import { namespaceRows } from "./namespace-rows.ts";
import type { SqlSession } from "./sql-database.ts";

type Reader = Pick<SqlSession, "rows">;

/** Rows without a type were written by layout V0, or by PyIceberg, which knows no views. */
const OF_KIND = { table: "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)", view: "iceberg_type = 'VIEW'" } as const;
const THIS = "catalog_name = $1 AND table_namespace = $2 AND table_name = $3";

function key(catalog: string, identifier: TableIdentifier): [string, string, string] {
  return [catalog, namespaceText(identifier.namespace), identifier.name];
}

/** Pointers of tables and views of one catalog in SQL. Calls that write belong into a transaction of the caller. */
export const pointerRows = {
  async list(sql: Reader, catalog: string, kind: EntryKind, namespace: string): Promise<string[]> {
    const statement = `SELECT table_name FROM iceberg_tables WHERE catalog_name = $1 AND table_namespace = $2 AND ${OF_KIND[kind]}`;
    const rows = await sql.rows(statement, [catalog, namespace]);
    return rows.map((row) => String(row["table_name"])).sort();
  },

  async read(sql: Reader, catalog: string, kind: EntryKind, identifier: TableIdentifier): Promise<Pointer | undefined> {
    const statement = `SELECT metadata_location, previous_metadata_location FROM iceberg_tables WHERE ${THIS} AND ${OF_KIND[kind]}`;
    const [row] = await sql.rows(statement, key(catalog, identifier));
    if (row === undefined) return undefined;
    const previous = row["previous_metadata_location"] ?? null;
    return {
      metadataLocation: String(row["metadata_location"]),
      previousMetadataLocation: previous === null ? null : String(previous),
    };
  },

  async kindOf(sql: Reader, catalog: string, identifier: TableIdentifier): Promise<EntryKind | undefined> {
    const [row] = await sql.rows(`SELECT iceberg_type FROM iceberg_tables WHERE ${THIS}`, key(catalog, identifier));
    if (row === undefined) return undefined;
    return row["iceberg_type"] === "VIEW" ? "view" : "table";
  },

  async swap(sql: SqlSession, catalog: string, kind: EntryKind, change: PointerChange): Promise<SwapResult> {
    const { identifier, oldLocation, newLocation } = change;
    if (oldLocation === undefined) return insert(sql, catalog, kind, identifier, newLocation);
    const statement = `UPDATE iceberg_tables SET metadata_location = $4, previous_metadata_location = $5
      WHERE ${THIS} AND metadata_location = $5 AND ${OF_KIND[kind]}`;
    const changed = await sql.run(statement, [...key(catalog, identifier), newLocation, oldLocation]);
    if (changed === 1) return { kind: "swapped" };
    const there = await pointerRows.read(sql, catalog, kind, identifier);
    return { kind: there === undefined ? "missing" : "moved", identifier };
  },

  async drop(
    sql: SqlSession,
    catalog: string,
    kind: EntryKind,
    identifier: TableIdentifier,
  ): Promise<string | undefined> {
    const statement = `DELETE FROM iceberg_tables WHERE ${THIS} AND ${OF_KIND[kind]} RETURNING metadata_location`;
    const [row] = await sql.rows(statement, key(catalog, identifier));
    return row === undefined ? undefined : String(row["metadata_location"]);
  },

  async rename(
    sql: SqlSession,
    catalog: string,
    kind: EntryKind,
    from: TableIdentifier,
    to: TableIdentifier,
  ): Promise<RenameResult> {
    if ((await pointerRows.read(sql, catalog, kind, from)) === undefined) return { kind: "missing" };
    if (!(await namespaceRows.exists(sql, catalog, namespaceText(to.namespace)))) return { kind: "no_namespace" };
    const existing = await pointerRows.kindOf(sql, catalog, to);
    if (existing !== undefined) return { kind: "exists", existing };
    const statement = `UPDATE iceberg_tables SET table_namespace = $4, table_name = $5 WHERE ${THIS} AND ${OF_KIND[kind]}`;
    const values = [...key(catalog, from), namespaceText(to.namespace), to.name];
    return { kind: (await sql.run(statement, values)) === 1 ? "renamed" : "missing" };
  },

  async folderInUse(sql: Reader, catalog: string, prefix: string): Promise<boolean> {
    const statement =
      "SELECT 1 AS found FROM iceberg_tables WHERE catalog_name = $1 AND substr(metadata_location, 1, length(CAST($2 AS VARCHAR))) = CAST($2 AS VARCHAR) LIMIT 1";
    return (await sql.rows(statement, [catalog, prefix])).length > 0;
  },
};

async function insert(
  sql: SqlSession,
  catalog: string,
  kind: EntryKind,
  identifier: TableIdentifier,
  location: string,
): Promise<SwapResult> {
  if (!(await namespaceRows.exists(sql, catalog, namespaceText(identifier.namespace)))) {
    return { kind: "no_namespace", identifier };
  }
  const statement = `INSERT INTO iceberg_tables
    (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location, iceberg_type)
    VALUES ($1, $2, $3, $4, NULL, $5) ON CONFLICT DO NOTHING`;
  const inserted = await sql.run(statement, [...key(catalog, identifier), location, kind.toUpperCase()]);
  if (inserted === 1) return { kind: "swapped" };
  return { kind: "exists", identifier, existing: (await pointerRows.kindOf(sql, catalog, identifier)) ?? kind };
}
