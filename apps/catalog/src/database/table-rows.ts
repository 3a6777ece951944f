import type Database from "libsql";
import { namespaceText, type TableIdentifier } from "@firn/lake";
import type { PointerChange, SwapResult, TablePointer } from "./catalog-database.ts";

const IS_TABLE = "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)";
const THIS_TABLE = "catalog_name = ? AND table_namespace = ? AND table_name = ?";

/** Table pointers of one catalog in SQL. Calls that write belong into a transaction of the caller. */
export function tableRows(db: Database.Database, catalog: string, namespaceExists: (namespace: string) => boolean) {
  const { list, read, any, insert, swap, remove, rename, below } = prepare(db);
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

function prepare(db: Database.Database) {
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
  return { list, read, any, insert, swap, remove, rename, below };
}
