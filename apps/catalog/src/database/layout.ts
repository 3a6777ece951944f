import { LakeError } from "@firn/lake";
import { REQUESTS_TABLE } from "./request-rows.ts";
import type { SqlDatabase, SqlSession } from "./sql-database.ts";

/** Tables of JdbcCatalog, schema version V1. */
const LAYOUT_V1 = [
  `CREATE TABLE IF NOT EXISTS iceberg_tables (
  catalog_name VARCHAR(255) NOT NULL,
  table_namespace VARCHAR(255) NOT NULL,
  table_name VARCHAR(255) NOT NULL,
  metadata_location VARCHAR(1000),
  previous_metadata_location VARCHAR(1000),
  iceberg_type VARCHAR(5),
  PRIMARY KEY (catalog_name, table_namespace, table_name)
)`,
  `CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
  catalog_name VARCHAR(255) NOT NULL,
  namespace VARCHAR(255) NOT NULL,
  property_key VARCHAR(255) NOT NULL,
  property_value VARCHAR(1000),
  PRIMARY KEY (catalog_name, namespace, property_key)
)`,
];

/**
 * Of all tables together, those of JdbcCatalog as Firn uses them and Firn's own. A database without the table is of
 * version 1, made by a release before it or by Apache's catalog.
 */
const LAYOUT_VERSION = 1;
const VERSION_TABLE = "CREATE TABLE IF NOT EXISTS firn_catalog_layout (version INTEGER NOT NULL)";

/**
 * Makes what is missing. Several processes may do so at the same time.
 * @throws LakeError `unsupported` where a newer release has changed the database; nothing is changed then
 */
export function ensureLayout(sql: SqlDatabase): Promise<void> {
  return sql.transaction(async (session) => {
    await session.lock("firn catalog layout", "exclusive");
    await refuseNewerLayout(session);
    for (const statement of [...LAYOUT_V1, REQUESTS_TABLE]) await session.run(statement, []);
    await addTypeColumn(session);
  });
}

async function refuseNewerLayout(session: SqlSession): Promise<void> {
  await session.run(VERSION_TABLE, []);
  const [row] = await session.rows("SELECT max(version) AS version FROM firn_catalog_layout", []);
  const version = row?.["version"] ?? null;
  if (version === null) {
    await session.run("INSERT INTO firn_catalog_layout (version) VALUES ($1)", [LAYOUT_VERSION]);
  } else if (Number(version) > LAYOUT_VERSION) {
    const message = `the catalog's database has layout ${Number(version)}: this release knows ${LAYOUT_VERSION}`;
    const fix = "run the newer Firn that made it, or restore the database from before its upgrade";
    throw new LakeError("unsupported", `${message}; ${fix}`);
  }
}

/** A database of layout V0 gets V1's column. */
async function addTypeColumn(session: SqlSession): Promise<void> {
  // With the column missing, SQLite reads the quoted name as a text and PostgreSQL would fail: so columns are not named.
  const [row] = await session.rows("SELECT * FROM (SELECT 1 AS one) probe LEFT JOIN iceberg_tables ON 1 = 0", []);
  if (row !== undefined && !Object.hasOwn(row, "iceberg_type")) {
    await session.run("ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)", []);
  }
}
