import type { UnnumberedPartitionSpec } from "../metadata/partition-spec.ts";
import type { TableRequirement } from "../metadata/requirements.ts";
import type { UnnumberedSchema } from "../metadata/schema.ts";
import type { UnnumberedSortOrder } from "../metadata/sort-order.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import type { TableUpdate } from "../metadata/updates.ts";

/** One name a level, outermost first: `["health_db"]`, `["a", "b"]`. Never empty. */
export type Namespace = readonly string[];

export interface TableIdentifier {
  readonly namespace: Namespace;
  readonly name: string;
}

export interface LoadedTable {
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
  /** Settings for reading and writing this table's files, vended by the catalog. */
  readonly config: Readonly<Record<string, string>>;
  /** Pass it to the next loadTable as `ifNoneMatch`. */
  readonly etag?: string;
}

export interface CreateTableRequest {
  readonly schema: UnnumberedSchema;
  readonly partitionSpec?: UnnumberedPartitionSpec;
  readonly sortOrder?: UnnumberedSortOrder;
  /** Where the table's files lie; chosen by the catalog when absent. */
  readonly location?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

export interface TableCommit {
  readonly requirements: readonly TableRequirement[];
  readonly updates: readonly TableUpdate[];
  /** Names the attempt for catalogs that remember them (UUIDv7). A second post of the same commit takes the same key. */
  readonly idempotencyKey?: string;
}

export interface LoadTableOptions {
  /** ETag of a table loaded before: the answer is `unchanged` while it is still the newest. */
  readonly ifNoneMatch?: string;
  /** `refs`: only snapshots that a branch or tag points at. Default `all`. */
  readonly snapshots?: "all" | "refs";
}

export interface CatalogConfig {
  readonly defaults: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, string>>;
  /** `GET /v1/{prefix}/namespaces` …; undefined when the catalog does not say. */
  readonly endpoints?: readonly string[];
}

export interface NamespacePropertiesChange {
  readonly updates?: Readonly<Record<string, string>>;
  readonly removals?: readonly string[];
}

export interface NamespacePropertiesChanged {
  readonly updated: readonly string[];
  readonly removed: readonly string[];
  readonly missing: readonly string[];
}

/**
 * A catalog of Iceberg tables.
 *
 * - A commit is atomic: all its updates are applied to the table state that met all its requirements, or none.
 * - Commits of one table are ordered; every load after a finished commit sees it, or a later one.
 * - Every call is ONE attempt. Nothing is retried inside, because the caller must know what it asked twice.
 * - `commitTable` fails as `conflict` (certainly not applied), `unknown_outcome` (may be applied: reload and look for
 *   your snapshot id), `unavailable` (not reached, not applied), `invalid` or `not_found`.
 * - Field, partition-field, schema, spec and order ids of a new table are assigned by the catalog: read them from the
 *   table that comes back, never from the request.
 */
export interface Catalog {
  config(): Promise<CatalogConfig>;

  /** The namespaces directly below `parent`, or the top level. */
  listNamespaces(parent?: Namespace): Promise<Namespace[]>;
  /** Parents that are not there yet come with it. */
  createNamespace(namespace: Namespace, properties?: Readonly<Record<string, string>>): Promise<void>;
  namespaceExists(namespace: Namespace): Promise<boolean>;
  /** The namespace's properties. */
  loadNamespace(namespace: Namespace): Promise<Record<string, string>>;
  updateNamespaceProperties(
    namespace: Namespace,
    change: NamespacePropertiesChange,
  ): Promise<NamespacePropertiesChanged>;
  /** Fails with `conflict` while tables or namespaces are in it. */
  dropNamespace(namespace: Namespace): Promise<void>;

  listTables(namespace: Namespace): Promise<TableIdentifier[]>;
  createTable(identifier: TableIdentifier, request: CreateTableRequest): Promise<LoadedTable>;
  /** Makes an existing metadata file a table of this catalog. */
  registerTable(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedTable>;
  loadTable(identifier: TableIdentifier): Promise<LoadedTable>;
  loadTable(identifier: TableIdentifier, options: LoadTableOptions): Promise<LoadedTable | "unchanged">;
  tableExists(identifier: TableIdentifier): Promise<boolean>;
  /** With `purge` the files go too. */
  dropTable(identifier: TableIdentifier, options?: { readonly purge?: boolean }): Promise<void>;
  renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void>;

  commitTable(identifier: TableIdentifier, commit: TableCommit): Promise<LoadedTable>;
  /** Several tables, all or none. `unsupported` where the catalog has no transactions. */
  commitTransaction(commits: readonly (TableCommit & { readonly identifier: TableIdentifier })[]): Promise<void>;
}

/** `ns.sub.table`, as error texts name a table. */
export function tableName(identifier: TableIdentifier): string {
  return [...identifier.namespace, identifier.name].join(".");
}
