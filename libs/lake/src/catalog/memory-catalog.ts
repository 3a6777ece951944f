import { randomUUID } from "node:crypto";
import { LakeError } from "../lake-error.ts";
import { isCreate, planCommit, referencedSnapshotsOnly, type CommitBase } from "../metadata/commit-plan.ts";
import { nextMetadataLocation } from "../metadata/metadata-file.ts";
import { newTableMetadata } from "../metadata/new-table.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import type {
  Catalog,
  CreateTableRequest,
  LoadTableOptions,
  LoadedTable,
  Namespace,
  NamespacePropertiesChange,
  NamespacePropertiesChanged,
  TableCommit,
  TableIdentifier,
} from "./catalog.ts";
import { catalogFailure, checkIdentifier, checkNamespace, namespaceFolder, tableFolder } from "./identifier-rules.ts";
import { changedProperties } from "./namespace-properties.ts";

export interface MemoryCatalogOptions {
  /** Root of the locations given to tables. Default `memory://warehouse`. */
  readonly warehouse?: string;
  readonly nowMs?: () => number;
  readonly uuid?: () => string;
  /** Reads the metadata file of a table to register; without it registerTable is `unsupported`. */
  readonly readMetadata?: (location: string) => Promise<TableMetadata>;
}

/** A catalog that lives in memory: the same rules as a real one, no files. For tests and for trying things. */
export class MemoryCatalog implements Catalog {
  readonly #warehouse: string;
  readonly #nowMs: () => number;
  readonly #uuid: () => string;
  readonly #readMetadata: ((location: string) => Promise<TableMetadata>) | undefined;
  readonly #namespaces = new Map<string, { namespace: Namespace; properties: Map<string, string> }>();
  readonly #tables = new Map<string, { identifier: TableIdentifier } & CommitBase>();

  constructor(options: MemoryCatalogOptions = {}) {
    this.#warehouse = options.warehouse ?? "memory://warehouse";
    this.#nowMs = options.nowMs ?? Date.now;
    this.#uuid = options.uuid ?? randomUUID;
    this.#readMetadata = options.readMetadata;
  }

  async config() {
    return { defaults: {}, overrides: {} };
  }

  async listNamespaces(parent: Namespace = []): Promise<Namespace[]> {
    if (parent.length > 0) this.#namespace(parent);
    return [...this.#namespaces.values()]
      .map((entry) => entry.namespace)
      .filter((namespace) => namespace.length === parent.length + 1 && startsWith(namespace, parent));
  }

  async createNamespace(namespace: Namespace, properties: Readonly<Record<string, string>> = {}): Promise<void> {
    checkNamespace(namespace);
    if (this.#namespaces.has(key(namespace))) throw catalogFailure.namespaceExists(namespace);
    const parent = namespace.slice(0, -1);
    if (parent.length > 0 && !this.#namespaces.has(key(parent))) await this.createNamespace(parent);
    this.#namespaces.set(key(namespace), { namespace, properties: new Map(Object.entries(properties)) });
  }

  async namespaceExists(namespace: Namespace): Promise<boolean> {
    return this.#namespaces.has(key(namespace));
  }

  async loadNamespace(namespace: Namespace): Promise<Record<string, string>> {
    return Object.fromEntries(this.#namespace(namespace).properties);
  }

  async updateNamespaceProperties(
    namespace: Namespace,
    change: NamespacePropertiesChange,
  ): Promise<NamespacePropertiesChanged> {
    const entry = this.#namespace(namespace);
    const planned = changedProperties(Object.fromEntries(entry.properties), change);
    entry.properties = new Map(Object.entries(planned.properties));
    return planned.changed;
  }

  async dropNamespace(namespace: Namespace): Promise<void> {
    this.#namespace(namespace);
    const tables = await this.listTables(namespace);
    if (tables.length > 0) throw catalogFailure.namespaceNotEmpty(namespace, `${tables.length} tables exist.`);
    const children = await this.listNamespaces(namespace);
    if (children.length > 0) {
      throw catalogFailure.namespaceNotEmpty(namespace, `${children.length} namespaces exist.`);
    }
    this.#namespaces.delete(key(namespace));
  }

  async listTables(namespace: Namespace): Promise<TableIdentifier[]> {
    this.#namespace(namespace);
    return [...this.#tables.values()]
      .map((table) => table.identifier)
      .filter((identifier) => key(identifier.namespace) === key(namespace));
  }

  async createTable(identifier: TableIdentifier, request: CreateTableRequest): Promise<LoadedTable> {
    this.#checkFree(identifier);
    const uuid = this.#uuid();
    const metadata = newTableMetadata({
      schema: request.schema,
      partitionSpec: request.partitionSpec,
      sortOrder: request.sortOrder,
      properties: request.properties,
      location: request.location ?? this.#freeFolder(identifier),
      uuid,
      nowMs: this.#nowMs(),
    });
    return this.#store(identifier, metadata, nextMetadataLocation(metadata, undefined, this.#uuid()));
  }

  async registerTable(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedTable> {
    this.#checkFree(identifier);
    if (this.#readMetadata === undefined) throw new LakeError("unsupported", "this catalog reads no metadata files");
    const metadata = await this.#readMetadata(metadataLocation);
    this.#checkFree(identifier);
    return this.#store(identifier, metadata, metadataLocation);
  }

  async loadTable(identifier: TableIdentifier): Promise<LoadedTable>;
  async loadTable(identifier: TableIdentifier, options: LoadTableOptions): Promise<LoadedTable | "unchanged">;
  async loadTable(identifier: TableIdentifier, options: LoadTableOptions = {}): Promise<LoadedTable | "unchanged"> {
    const table = loaded(this.#table(identifier), options.snapshots ?? "all");
    return options.ifNoneMatch !== undefined && options.ifNoneMatch === table.etag ? "unchanged" : table;
  }

  async tableExists(identifier: TableIdentifier): Promise<boolean> {
    return this.#tables.has(tableKey(identifier));
  }

  async dropTable(identifier: TableIdentifier): Promise<void> {
    if (!this.#tables.delete(tableKey(identifier))) throw catalogFailure.noTable(identifier);
  }

  async renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    const table = this.#table(from);
    this.#checkFree(to);
    this.#tables.delete(tableKey(from));
    this.#tables.set(tableKey(to), { ...table, identifier: to });
  }

  async commitTable(identifier: TableIdentifier, commit: TableCommit): Promise<LoadedTable> {
    const planned = this.#plan(identifier, commit);
    return this.#store(identifier, planned.metadata, planned.metadataLocation);
  }

  async commitTransaction(commits: readonly (TableCommit & { identifier: TableIdentifier })[]): Promise<void> {
    const planned = commits.map((commit) => ({
      identifier: commit.identifier,
      ...this.#plan(commit.identifier, commit),
    }));
    for (const { identifier, metadata, metadataLocation } of planned) {
      this.#store(identifier, metadata, metadataLocation);
    }
  }

  #freeFolder(identifier: TableIdentifier): string {
    const base = namespaceFolder(this.#warehouse, identifier.namespace);
    const folder = tableFolder(base, identifier.name);
    const used = [...this.#tables.values()].some((table) => table.metadataLocation.startsWith(`${folder}/`));
    return used ? tableFolder(base, identifier.name, this.#uuid().slice(0, 8)) : folder;
  }

  #plan(identifier: TableIdentifier, commit: TableCommit): CommitBase {
    const existing = this.#tables.get(tableKey(identifier));
    if (existing === undefined && !isCreate(commit)) throw this.#missing(identifier);
    if (existing === undefined) this.#checkFree(identifier);
    const metadata = planCommit(existing, commit, this.#nowMs());
    if (metadata === existing?.metadata) return existing;
    return { metadata, metadataLocation: nextMetadataLocation(metadata, existing?.metadataLocation, this.#uuid()) };
  }

  #store(identifier: TableIdentifier, metadata: TableMetadata, metadataLocation: string): LoadedTable {
    this.#tables.set(tableKey(identifier), { identifier, metadata, metadataLocation });
    return loaded({ metadata, metadataLocation }, "all");
  }

  #namespace(namespace: Namespace) {
    const entry = this.#namespaces.get(key(namespace));
    if (entry === undefined) throw catalogFailure.noNamespace(namespace);
    return entry;
  }

  #table(identifier: TableIdentifier): CommitBase {
    const table = this.#tables.get(tableKey(identifier));
    if (table === undefined) throw this.#missing(identifier);
    return table;
  }

  #missing(identifier: TableIdentifier): LakeError {
    return catalogFailure.noTable(identifier);
  }

  #checkFree(identifier: TableIdentifier): void {
    checkIdentifier(identifier);
    this.#namespace(identifier.namespace);
    if (this.#tables.has(tableKey(identifier))) throw catalogFailure.tableExists(identifier);
  }
}

function loaded(table: CommitBase, snapshots: "all" | "refs"): LoadedTable {
  return {
    metadata: snapshots === "refs" ? referencedSnapshotsOnly(table.metadata) : table.metadata,
    metadataLocation: table.metadataLocation,
    config: {},
    etag: `"${table.metadataLocation} ${snapshots}"`,
  };
}

// The unit separator is no part of a name, so that no two identifiers share a key.
const SEPARATOR = "\u001f";

function key(namespace: Namespace): string {
  return namespace.join(SEPARATOR);
}

function tableKey(identifier: TableIdentifier): string {
  return key([...identifier.namespace, identifier.name]);
}

function startsWith(namespace: Namespace, parent: Namespace): boolean {
  return parent.every((level, index) => namespace[index] === level);
}
