import type Database from "libsql";
import { changedProperties, type NamespacePropertiesChange } from "@firn/lake";

/** Marks a namespace that has no other property; hidden from clients (JdbcCatalog and PyIceberg do the same). */
const EXISTS_PROPERTY = "exists";

/** Namespaces of one catalog in SQL. Calls that write belong into a transaction of the caller. */
export function namespaceRows(db: Database.Database, catalog: string) {
  const { all, one, read, insert, remove } = prepare(db);
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

function prepare(db: Database.Database) {
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
  return { all, one, read, insert, remove };
}
