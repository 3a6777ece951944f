import {
  LakeError,
  catalogFailure,
  checkIdentifier,
  isLakeError,
  namespaceFolder,
  namespaceText,
  tableFolder,
  tableName,
  type TableIdentifier,
} from "@firn/lake";
import type { CatalogDatabase, EntryKind, SwapResult } from "./database/catalog-database.ts";
import { AlreadyApplied } from "./requests/attempt.ts";
import { KeyedLock } from "./keyed-lock.ts";
import type { MetadataFiles } from "./metadata/metadata-files.ts";
import type { Located, StoredMetadata } from "./metadata/stored-metadata.ts";

/** Another process on the same database can win the swap; requirements that still hold allow another try. */
export const SWAP_ATTEMPTS_MAX = 5;

export interface EntryStoreOptions<M extends Located> {
  readonly kind: EntryKind;
  readonly database: CatalogDatabase;
  readonly files: MetadataFiles<M>;
  /** The warehouse, normalised. */
  readonly root: string;
  readonly uuid: () => string;
}

export interface PlannedChange<M extends Located> {
  readonly identifier: TableIdentifier;
  readonly before: StoredMetadata<M> | undefined;
  readonly after: StoredMetadata<M>;
}

/**
 * What tables and views have in common: a pointer in the database decides which metadata file is current. Changes of
 * one name run one after another in this process (`locked`), and are safe against other processes by the database's
 * compare-and-swap.
 */
export class EntryStore<M extends Located> {
  readonly #options: EntryStoreOptions<M>;
  readonly #locks = new KeyedLock();

  constructor(options: EntryStoreOptions<M>) {
    this.#options = options;
  }

  locked<T>(identifiers: readonly TableIdentifier[], work: () => Promise<T>): Promise<T> {
    return this.#locks.run(identifiers.map(tableName), work);
  }

  async list(namespace: readonly string[]): Promise<string[]> {
    const { database, kind } = this.#options;
    const name = namespaceText(namespace);
    if (!(await database.namespaceExists(name))) throw catalogFailure.noNamespace(namespace);
    return database.list(kind, name);
  }

  async exists(identifier: TableIdentifier): Promise<boolean> {
    return (await this.#options.database.loadPointer(this.#options.kind, identifier)) !== undefined;
  }

  /** For an answer to a client. */
  async load(identifier: TableIdentifier): Promise<StoredMetadata<M>> {
    const stored = await this.#current(identifier, (location) => this.#options.files.readPresent(location));
    if (stored === undefined) throw this.#missing(identifier);
    return stored;
  }

  /** To plan a change on; undefined when there is none. */
  read(identifier: TableIdentifier): Promise<StoredMetadata<M> | undefined> {
    return this.#current(identifier, (location) => this.#options.files.read(location));
  }

  async #current(
    identifier: TableIdentifier,
    read: (location: string) => Promise<StoredMetadata<M>>,
  ): Promise<StoredMetadata<M> | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      const location = await this.locate(identifier);
      if (location === undefined) return undefined;
      try {
        return await read(location);
      } catch (error) {
        // A commit in between may have deleted the file that was current a moment ago.
        if (attempt >= SWAP_ATTEMPTS_MAX || (await this.locate(identifier)) === location) throw error;
      }
    }
  }

  /** Where the current metadata lies; undefined when there is none. */
  async locate(identifier: TableIdentifier): Promise<string | undefined> {
    const { database, kind } = this.#options;
    return (await database.loadPointer(kind, identifier))?.metadataLocation;
  }

  /** The name may be taken, its namespace is there, and nothing has it yet. */
  async checkFree(identifier: TableIdentifier): Promise<void> {
    checkIdentifier(identifier);
    const { database } = this.#options;
    if (!(await database.namespaceExists(namespaceText(identifier.namespace)))) {
      throw catalogFailure.noNamespace(identifier.namespace);
    }
    const existing = await database.kindOf(identifier);
    if (existing !== undefined) throw this.#taken(identifier, existing);
  }

  /** `<namespace>/<name>` below the warehouse or the namespace's own location, unless something else lies there. */
  async freeFolder(identifier: TableIdentifier): Promise<string> {
    const { database, root, uuid } = this.#options;
    const properties = await database.loadNamespace(namespaceText(identifier.namespace));
    const base = (properties?.["location"] ?? namespaceFolder(root, identifier.namespace)).replace(/\/+$/, "");
    const folder = tableFolder(base, identifier.name);
    return (await database.folderInUse(folder)) ? tableFolder(base, identifier.name, uuid().slice(0, 8)) : folder;
  }

  /**
   * Makes all changes current, or none: then their files go.
   * @returns false when another process came first and the caller may plan again
   */
  async swap(changes: readonly PlannedChange<M>[], mayRetry = false): Promise<boolean> {
    const { database, files, kind } = this.#options;
    if (changes.length === 0) return true;
    const pointers = changes.map(({ identifier, before, after }) => ({
      identifier,
      oldLocation: before?.metadataLocation,
      newLocation: after.metadataLocation,
    }));
    const written = pointers.map((change) => change.newLocation);
    const result = await database.swapPointers(kind, pointers).catch((error: unknown) => {
      // A commit whose outcome is unknown, by its own word or ours, may point at them.
      if (isLakeError(error, "unavailable", "invalid") || error instanceof AlreadyApplied) files.deleteLater(written);
      throw error;
    });
    if (result.kind !== "swapped") {
      files.deleteLater(written);
      if (result.kind === "moved" && mayRetry) return false;
      throw this.#refusal(result);
    }
    for (const { before, after } of changes) files.committed(after, before?.metadataLocation);
    return true;
  }

  /** Points the name at a metadata file that is there already. */
  async point(identifier: TableIdentifier, after: StoredMetadata<M>, oldLocation: string | undefined): Promise<void> {
    const change = { identifier, oldLocation, newLocation: after.metadataLocation };
    const result = await this.#options.database.swapPointers(this.#options.kind, [change]);
    if (result.kind !== "swapped") throw this.#refusal(result);
  }

  #refusal(result: Exclude<SwapResult, { kind: "swapped" }>): LakeError {
    switch (result.kind) {
      case "moved":
        return new LakeError("conflict", `Cannot commit ${tableName(result.identifier)}: it changed meanwhile`);
      case "exists":
        return this.#taken(result.identifier, result.existing);
      case "missing":
        return this.#missing(result.identifier);
      case "no_namespace":
        return catalogFailure.noNamespace(result.identifier.namespace);
    }
  }

  async rename(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    checkIdentifier(to);
    const { database, kind } = this.#options;
    await this.locked([from, to], async () => {
      const result = await database.renamePointer(kind, from, to);
      switch (result.kind) {
        case "renamed":
          return;
        case "missing":
          throw this.#missing(from);
        case "exists":
          throw catalogFailure.renameTaken(from, to, result.existing);
        case "no_namespace":
          throw catalogFailure.noNamespace(to.namespace);
      }
    });
  }

  /** Takes it out of the catalog and returns its last metadata location; files stay. */
  async drop(identifier: TableIdentifier): Promise<string> {
    const { database, kind } = this.#options;
    return this.locked([identifier], async () => {
      const location = await database.dropPointer(kind, identifier);
      if (location === undefined) throw this.#missing(identifier);
      return location;
    });
  }

  #missing(identifier: TableIdentifier): LakeError {
    return this.#options.kind === "table" ? catalogFailure.noTable(identifier) : catalogFailure.noView(identifier);
  }

  #taken(identifier: TableIdentifier, existing: EntryKind): LakeError {
    if (existing !== this.#options.kind) return catalogFailure.nameTaken(identifier, existing);
    return existing === "table" ? catalogFailure.tableExists(identifier) : catalogFailure.viewExists(identifier);
  }
}
