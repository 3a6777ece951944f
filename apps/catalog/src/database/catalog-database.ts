import type { Attempt } from "../requests/attempt.ts";
import type { AppliedRequest } from "./request-rows.ts";
import type { NamespacePropertiesChange, NamespacePropertiesChanged, TableIdentifier } from "@firn/lake";

/** Tables and views share one space of names. */
export type EntryKind = "table" | "view";

/** Where the current metadata of a table or view lies. */
export interface Pointer {
  readonly metadataLocation: string;
  readonly previousMetadataLocation: string | null;
}

/** One table's or view's part of a commit. Without `oldLocation` it is made. */
export interface PointerChange {
  readonly identifier: TableIdentifier;
  readonly oldLocation: string | undefined;
  readonly newLocation: string;
}

/** `moved`: another commit came first. `exists`: what is to be made is there. `no_namespace`: its namespace is gone. */
export type SwapResult =
  | { readonly kind: "swapped" }
  | { readonly kind: "exists"; readonly identifier: TableIdentifier; readonly existing: EntryKind }
  | { readonly kind: "moved" | "missing" | "no_namespace"; readonly identifier: TableIdentifier };

export type RenameResult =
  { readonly kind: "renamed" | "missing" | "no_namespace" } | { readonly kind: "exists"; readonly existing: EntryKind };

export type DropNamespaceResult =
  | { readonly kind: "dropped" | "missing" }
  | { readonly kind: "not_empty"; readonly tables: number; readonly views: number; readonly children: number };

/**
 * The catalog's own state in SQL, in the layout of Apache's JdbcCatalog, schema version V1, so that the SQL catalogs of
 * Java and PyIceberg read and write the same database (other catalogs' rows under other `catalog_name`s are not
 * touched). Namespaces are levels joined with dots.
 *
 * Every method is one transaction, durable when it resolves. `swapPointers` is the compare-and-swap that all commits
 * rest on: it changes all of its entries or none, and one only from the location that the caller has seen. What is
 * changed for a request with an idempotency key (`currentAttempt`) is written together with the key, or fails as
 * AlreadyApplied.
 */
export interface CatalogDatabase {
  readonly description: string;
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
  dropNamespace(namespace: string): Promise<DropNamespaceResult>;

  /** Names of the tables or views directly in the namespace, sorted. */
  list(kind: EntryKind, namespace: string): Promise<string[]>;
  loadPointer(kind: EntryKind, identifier: TableIdentifier): Promise<Pointer | undefined>;
  /** What has this name, if anything. */
  kindOf(identifier: TableIdentifier): Promise<EntryKind | undefined>;
  swapPointers(kind: EntryKind, changes: readonly PointerChange[]): Promise<SwapResult>;
  /** The location that it had; undefined when there is no such table or view. */
  dropPointer(kind: EntryKind, identifier: TableIdentifier): Promise<string | undefined>;
  renamePointer(kind: EntryKind, from: TableIdentifier, to: TableIdentifier): Promise<RenameResult>;
  /** True when the metadata of some table or view lies below the folder. */
  folderInUse(folder: string): Promise<boolean>;

  /** What became of the request with this idempotency key. */
  findRequest(key: string): Promise<AppliedRequest | undefined>;
  answerRequest(
    attempt: Attempt,
    answer: { readonly status: number; readonly body: string },
    nowMs: number,
  ): Promise<void>;
  forgetRequests(beforeMs: number): Promise<void>;
  close(): Promise<void>;
}
