import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import { changedProperties, namespaceText, type NamespacePropertiesChange, type TableIdentifier } from "@firn/lake";
import type { CatalogDatabase, PointerChange, SwapResult, TablePointer } from "./catalog-database.ts";

/** Another process may hold the file for as long as one of its transactions takes. */
const BUSY_TIMEOUT_MS = 5_000;
/** Marks a namespace that has no other property; hidden from clients (JdbcCatalog and PyIceberg do the same). */
const EXISTS_PROPERTY = "exists";

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

const IS_TABLE = "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)";
const THIS_TABLE = "catalog_name = ? AND table_namespace = ? AND table_name = ?";

/** Opens or makes the SQLite file. Calls are synchronous inside and take a fraction of a millisecond; writes one fsync. */
export function openSqliteDatabase(path: string, catalogName: string): CatalogDatabase {
  mkdirSync(dirname(path), { recursive: true });
  const db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(LAYOUT_V1);
  addTypeColumn(db);
  const namespaces = namespaceStatements(db, catalogName);
  const tables = tableStatements(db, catalogName, namespaces.exists);
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

function namespaceStatements(db: Database.Database, catalog: string) {
  // A namespace is there when it has a row, or a table or namespace below it.
  const known = `
    SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ?1
    UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = ?1`;
  const all = db.prepare(
    `SELECT namespace FROM (${known}) WHERE ?2 = '' OR substr(namespace, 1, length(?2) + 1) = ?2 || '.'`,
  );
  const one = db.prepare(
    `SELECT 1 AS found FROM (${known}) WHERE namespace = ?2 OR substr(namespace, 1, length(?2) + 1) = ?2 || '.' LIMIT 1`,
  );
  const read = db.prepare(
    "SELECT property_key, property_value FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ?",
  );
  const insert = db.prepare("INSERT INTO iceberg_namespace_properties VALUES (?, ?, ?, ?)");
  const remove = db.prepare("DELETE FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ?");

  const names = (rows: unknown[]): string[] => (rows as { namespace: string }[]).map((row) => row.namespace);
  const exists = (namespace: string): boolean => one.get(catalog, namespace) !== undefined;
  const children = (parent: string): string[] => {
    const skip = parent === "" ? 0 : parent.split(".").length;
    const cut = names(all.all(catalog, parent)).map((name) =>
      name
        .split(".")
        .slice(0, skip + 1)
        .join("."),
    );
    return [...new Set(cut)].sort();
  };
  const properties = (namespace: string): Record<string, string> => {
    const rows = read.all(catalog, namespace) as { property_key: string; property_value: string | null }[];
    const pairs = rows.map((row) => [row.property_key, row.property_value ?? ""]);
    return Object.fromEntries(pairs.filter(([key]) => key !== EXISTS_PROPERTY));
  };
  const write = (namespace: string, values: Readonly<Record<string, string>>): void => {
    remove.run(catalog, namespace);
    for (const [key, value] of Object.entries({ ...values, [EXISTS_PROPERTY]: "true" })) {
      insert.run(catalog, namespace, key, value);
    }
  };
  return {
    exists,
    children,
    properties,
    create(namespace: string, values: Readonly<Record<string, string>>): boolean {
      if (exists(namespace)) return false;
      write(namespace, values);
      return true;
    },
    update(namespace: string, change: NamespacePropertiesChange) {
      if (!exists(namespace)) return undefined;
      const planned = changedProperties(properties(namespace), change);
      write(namespace, planned.properties);
      return planned.changed;
    },
    drop(namespace: string, tables: number) {
      if (!exists(namespace)) return "missing" as const;
      const below = children(namespace).length;
      if (tables > 0 || below > 0) return { tables, children: below };
      remove.run(catalog, namespace);
      return "dropped" as const;
    },
  };
}

function tableStatements(db: Database.Database, catalog: string, namespaceExists: (namespace: string) => boolean) {
  const list = db.prepare(
    `SELECT table_name FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ? AND ${IS_TABLE} ORDER BY table_name`,
  );
  const read = db.prepare(
    `SELECT metadata_location, previous_metadata_location FROM iceberg_tables WHERE ${THIS_TABLE} AND ${IS_TABLE}`,
  );
  const any = db.prepare(`SELECT 1 AS found FROM iceberg_tables WHERE ${THIS_TABLE}`);
  const insert = db.prepare("INSERT INTO iceberg_tables VALUES (?, ?, ?, ?, NULL, 'TABLE')");
  const swap = db.prepare(
    `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ? WHERE ${THIS_TABLE} AND metadata_location = ? AND ${IS_TABLE}`,
  );
  const remove = db.prepare(`DELETE FROM iceberg_tables WHERE ${THIS_TABLE} AND ${IS_TABLE}`);
  const rename = db.prepare(
    `UPDATE iceberg_tables SET table_namespace = ?, table_name = ? WHERE ${THIS_TABLE} AND ${IS_TABLE}`,
  );
  const below = db.prepare(
    "SELECT 1 AS found FROM iceberg_tables WHERE catalog_name = ?1 AND substr(metadata_location, 1, length(?2)) = ?2 LIMIT 1",
  );

  const key = (identifier: TableIdentifier): [string, string, string] => [
    catalog,
    namespaceText(identifier.namespace),
    identifier.name,
  ];
  const pointer = (identifier: TableIdentifier): TablePointer | undefined => {
    const row = read.get(...key(identifier)) as
      { metadata_location: string; previous_metadata_location: string | null } | undefined;
    if (row === undefined) return undefined;
    return {
      metadataLocation: row.metadata_location,
      previousMetadataLocation: row.previous_metadata_location,
    };
  };
  return {
    pointer,
    list: (namespace: string) =>
      (list.all(catalog, namespace) as { table_name: string }[]).map((row) => row.table_name),
    swap({ identifier, oldLocation, newLocation }: PointerChange): SwapResult {
      if (oldLocation !== undefined) {
        const swapped = swap.run(newLocation, oldLocation, ...key(identifier), oldLocation).changes === 1;
        if (swapped) return { kind: "swapped" };
        return { kind: pointer(identifier) === undefined ? "missing" : "moved", identifier };
      }
      if (any.get(...key(identifier)) !== undefined) return { kind: "exists", identifier };
      if (!namespaceExists(namespaceText(identifier.namespace))) return { kind: "no_namespace", identifier };
      insert.run(...key(identifier), newLocation);
      return { kind: "swapped" };
    },
    drop(identifier: TableIdentifier): string | undefined {
      const location = pointer(identifier)?.metadataLocation;
      remove.run(...key(identifier));
      return location;
    },
    rename(from: TableIdentifier, to: TableIdentifier) {
      if (pointer(from) === undefined) return "missing" as const;
      if (!namespaceExists(namespaceText(to.namespace))) return "no_namespace" as const;
      if (any.get(...key(to)) !== undefined) return "exists" as const;
      rename.run(namespaceText(to.namespace), to.name, ...key(from));
      return "renamed" as const;
    },
    folderInUse: (prefix: string) => below.get(catalog, prefix) !== undefined,
  };
}
