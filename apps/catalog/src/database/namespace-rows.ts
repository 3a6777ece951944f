import { changedProperties, type NamespacePropertiesChange, type NamespacePropertiesChanged } from "@firn/lake";
import type { SqlSession } from "./sql-database.ts";

/** Marks a namespace that has no other property; hidden from clients (JdbcCatalog and PyIceberg do the same). */
const EXISTS_PROPERTY = "exists";

type Reader = Pick<SqlSession, "rows">;

// A namespace is there when it has a row, or a table, view or namespace below it.
const KNOWN = `
  SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = $1
  UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = $1`;
const NAME = "CAST($2 AS VARCHAR)";
const BELOW = `substr(namespace, 1, length(${NAME}) + 1) = ${NAME} || '.'`;
const THIS = "catalog_name = $1 AND namespace = $2";

/** Namespaces of one catalog in SQL. Calls that write belong into a transaction of the caller. */
export const namespaceRows = {
  async exists(sql: Reader, catalog: string, namespace: string): Promise<boolean> {
    const statement = `SELECT 1 AS found FROM (${KNOWN}) known WHERE namespace = ${NAME} OR ${BELOW} LIMIT 1`;
    return (await sql.rows(statement, [catalog, namespace])).length > 0;
  },

  async children(sql: Reader, catalog: string, parent: string): Promise<string[]> {
    const statement = `SELECT namespace FROM (${KNOWN}) known WHERE ${NAME} = '' OR ${BELOW}`;
    const rows = await sql.rows(statement, [catalog, parent]);
    const levels = parent === "" ? 1 : parent.split(".").length + 1;
    const cut = rows.map((row) => String(row["namespace"]).split(".").slice(0, levels).join("."));
    return [...new Set(cut)].sort();
  },

  async properties(sql: Reader, catalog: string, namespace: string): Promise<Record<string, string>> {
    const statement = `SELECT property_key, property_value FROM iceberg_namespace_properties WHERE ${THIS}`;
    const rows = await sql.rows(statement, [catalog, namespace]);
    const pairs = rows.map((row) => [String(row["property_key"]), String(row["property_value"] ?? "")] as const);
    return Object.fromEntries(pairs.filter(([key]) => key !== EXISTS_PROPERTY));
  },

  async create(
    sql: SqlSession,
    catalog: string,
    namespace: string,
    properties: Readonly<Record<string, string>>,
  ): Promise<boolean> {
    if (await namespaceRows.exists(sql, catalog, namespace)) return false;
    await write(sql, catalog, namespace, properties);
    return true;
  },

  async update(
    sql: SqlSession,
    catalog: string,
    namespace: string,
    change: NamespacePropertiesChange,
  ): Promise<NamespacePropertiesChanged | undefined> {
    if (!(await namespaceRows.exists(sql, catalog, namespace))) return undefined;
    const planned = changedProperties(await namespaceRows.properties(sql, catalog, namespace), change);
    await write(sql, catalog, namespace, planned.properties);
    return planned.changed;
  },

  async remove(sql: SqlSession, catalog: string, namespace: string): Promise<void> {
    await sql.run(`DELETE FROM iceberg_namespace_properties WHERE ${THIS}`, [catalog, namespace]);
  },
};

async function write(
  sql: SqlSession,
  catalog: string,
  namespace: string,
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  await namespaceRows.remove(sql, catalog, namespace);
  for (const [key, value] of Object.entries({ ...properties, [EXISTS_PROPERTY]: "true" })) {
    await sql.run("INSERT INTO iceberg_namespace_properties VALUES ($1, $2, $3, $4)", [catalog, namespace, key, value]);
  }
}
