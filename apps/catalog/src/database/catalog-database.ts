import type { NamespacePropertiesChange, NamespacePropertiesChanged, TableIdentifier } from "@firn/lake";

/** Where a table's current metadata lies. */
export interface TablePointer {
  readonly metadataLocation: string;
  readonly previousMetadataLocation: string | null;
}

/** One table's part of a commit. Without `oldLocation` the table is made. */
export interface PointerChange {
  readonly identifier: TableIdentifier;
  readonly oldLocation: string | undefined;
  readonly newLocation: string;
}

/** `moved`: another commit came first. `exists`: a table to make is there. `no_namespace`: its namespace is gone. */
export type SwapResult =
  | { readonly kind: "swapped" }
  | { readonly kind: "moved" | "exists" | "missing" | "no_namespace"; readonly identifier: TableIdentifier };

/**
 * The catalog's own state in SQL, in the layout of Apache's JdbcCatalog, schema version V1, so that the SQL catalogs of
 * Java and PyIceberg read and write the same database (other catalogs' rows under other `catalog_name`s are not
 * touched). Namespaces are levels joined with dots.
 *
 * Every method is one transaction, durable when it resolves. `swapPointers` is the compare-and-swap that all commits
 * rest on: it changes all of its tables or none, and a table only from the location that the caller has seen.
 */
export interface CatalogDatabase {
  /** Full names of the namespaces directly below `parent` ("" for the top level), sorted. */
  listNamespaces(parent: string): Promise<string[]>;
  namespaceExists(namespace: string): Promise<boolean>;
  /** False when it is there already. Parents need no row of their own. */
  createNamespace(namespace: string, properties: Readonly<Record<string, string>>): Promise<boolean>;
  loadNamespace(namespace: string): Promise<Record<string, string> | undefined>;
  updateNamespace(
    namespace: string,
    change: NamespacePropertiesChange,
  ): Promise<NamespacePropertiesChanged | undefined>;
  dropNamespace(
    namespace: string,
  ): Promise<"dropped" | "missing" | { readonly tables: number; readonly children: number }>;

  /** Names of the tables directly in the namespace, sorted. */
  listTables(namespace: string): Promise<string[]>;
  loadPointer(identifier: TableIdentifier): Promise<TablePointer | undefined>;
  swapPointers(changes: readonly PointerChange[]): Promise<SwapResult>;
  /** The location that it had; undefined when there is no such table. */
  dropPointer(identifier: TableIdentifier): Promise<string | undefined>;
  renamePointer(from: TableIdentifier, to: TableIdentifier): Promise<"renamed" | "missing" | "exists" | "no_namespace">;
  /** True when some table's metadata lies below the folder. */
  folderInUse(folder: string): Promise<boolean>;
  close(): Promise<void>;
}
