import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import type { CatalogDatabase, SwapResult } from "./catalog-database.ts";
import { namespaceRows } from "./namespace-rows.ts";
import { tableRows } from "./table-rows.ts";

/** Another process may hold the file for as long as one of its transactions takes. */
const BUSY_TIMEOUT_MS = 5_000;

const LAYOUT_V1 = `
CREATE TABLE IF NOT EXISTS iceberg_tables (
  catalog_name VARCHAR(255) NOT NULL,
  table_namespace VARCHAR(255) NOT NULL,
  table_name VARCHAR(255) NOT NULL,
  metadata_location VARCHAR(1000),
  previous_metadata_location VARCHAR(1000),
  iceberg_type VARCHAR(5),
  PRIMARY KEY (catalog_name, table_namespace, table_name)
);
CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
  catalog_name VARCHAR(255) NOT NULL,
  namespace VARCHAR(255) NOT NULL,
  property_key VARCHAR(255) NOT NULL,
  property_value VARCHAR(1000),
  PRIMARY KEY (catalog_name, namespace, property_key)
);`;

/** Opens or makes the SQLite file. Calls are synchronous inside and take a fraction of a millisecond; writes one fsync. */
export function openSqliteDatabase(path: string, catalogName: string): CatalogDatabase {
  mkdirSync(dirname(path), { recursive: true });
  const db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(LAYOUT_V1);
  addTypeColumn(db);
  const namespaces = namespaceRows(db, catalogName);
  const tables = tableRows(db, catalogName, namespaces.exists);
  const inTransaction = <T>(work: () => T): T => db.transaction(work as () => unknown).immediate() as T;
  return {
    listNamespaces: async (parent) => namespaces.children(parent),
    namespaceExists: async (namespace) => namespaces.exists(namespace),
    createNamespace: async (namespace, properties) => inTransaction(() => namespaces.create(namespace, properties)),
    loadNamespace: async (namespace) => (namespaces.exists(namespace) ? namespaces.properties(namespace) : undefined),
    updateNamespace: async (namespace, change) => inTransaction(() => namespaces.update(namespace, change)),
    dropNamespace: async (namespace) => inTransaction(() => namespaces.drop(namespace, tables.list(namespace).length)),
    listTables: async (namespace) => tables.list(namespace),
    loadPointer: async (identifier) => tables.pointer(identifier),
    swapPointers: async (changes) => {
      let result: SwapResult = { kind: "swapped" };
      const rollback = new Error("swap refused");
      try {
        inTransaction(() => {
          for (const change of changes) {
            result = tables.swap(change);
            if (result.kind !== "swapped") throw rollback;
          }
        });
      } catch (error) {
        if (error !== rollback) throw error;
      }
      return result;
    },
    dropPointer: async (identifier) => inTransaction(() => tables.drop(identifier)),
    renamePointer: async (from, to) => inTransaction(() => tables.rename(from, to)),
    folderInUse: async (folder) => tables.folderInUse(`${folder}/`),
    close: async () => void db.close(),
  };
}

/** A database of layout V0 gets V1's column. */
function addTypeColumn(db: Database.Database): void {
  const columns = db.prepare("SELECT name FROM pragma_table_info('iceberg_tables')").all() as { name: string }[];
  if (!columns.some((column) => column.name === "iceberg_type")) {
    db.exec("ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)");
  }
}
