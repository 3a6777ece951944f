import {
  LakeError,
  catalogFailure,
  checkIdentifier,
  expiredMetadataFiles,
  isCreate,
  namespaceFolder,
  namespaceText,
  newTableMetadata,
  planCommit,
  shapeError,
  tableFolder,
  tableName,
  type CreateTableRequest,
  type ObjectStore,
  type TableCommit,
  type TableIdentifier,
  type TableMetadata,
} from "@firn/lake";
import type { CatalogDatabase, PointerChange } from "../database/catalog-database.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { makeMetadataFolder } from "./local-folders.ts";
import type { MetadataFiles } from "./metadata-files.ts";
import type { StoredMetadata } from "./table-snapshot.ts";
import { checkLocation, checkTableLocations } from "./warehouse-rules.ts";

/** Another process on the same database can win the swap; requirements that still hold allow another try. */
const SWAP_ATTEMPTS_MAX = 5;

export interface TableCatalogOptions {
  readonly database: CatalogDatabase;
  readonly store: ObjectStore;
  readonly files: MetadataFiles;
  readonly nowMs: () => number;
  readonly uuid: () => string;
}

export type TableChange = TableCommit & { readonly identifier: TableIdentifier };

interface PlannedChange {
  readonly identifier: TableIdentifier;
  readonly before: StoredMetadata | undefined;
  readonly after: StoredMetadata;
}

/**
 * Tables of the catalog. The database's pointer decides which metadata is current; commits of one table run one after
 * another in this process, and are safe against other processes by the database's compare-and-swap.
 */
export class TableCatalog {
  readonly #options: TableCatalogOptions;
  readonly #locks = new KeyedLock();

  constructor(options: TableCatalogOptions) {
    this.#options = options;
  }

  async list(namespace: readonly string[]): Promise<string[]> {
    const name = namespaceText(namespace);
    if (!(await this.#options.database.namespaceExists(name))) throw catalogFailure.noNamespace(namespace);
    return this.#options.database.listTables(name);
  }

  async exists(identifier: TableIdentifier): Promise<boolean> {
    return (await this.#options.database.loadPointer(identifier)) !== undefined;
  }

  /** Where the current metadata lies, without reading it. */
  async locate(identifier: TableIdentifier): Promise<string> {
    const pointer = await this.#options.database.loadPointer(identifier);
    if (pointer === undefined) throw catalogFailure.noTable(identifier);
    return pointer.metadataLocation;
  }

  /** For an answer to a client. */
  async load(identifier: TableIdentifier): Promise<StoredMetadata> {
    return this.#current(identifier, (location) => this.#options.files.readPresent(location));
  }

  async #current(
    identifier: TableIdentifier,
    read: (location: string) => Promise<StoredMetadata>,
  ): Promise<StoredMetadata> {
    for (let attempt = 1; ; attempt += 1) {
      const location = await this.locate(identifier);
      try {
        return await read(location);
      } catch (error) {
        // A commit in between may have deleted the file that was current a moment ago.
        if (attempt >= SWAP_ATTEMPTS_MAX || (await this.locate(identifier)) === location) throw error;
      }
    }
  }

  /** Metadata of a table that is only planned: nothing is written, a later commit with assert-create makes it. */
  async stageCreate(identifier: TableIdentifier, request: CreateTableRequest): Promise<TableMetadata> {
    const metadata = await this.#planCreate(identifier, request);
    await makeMetadataFolder(metadata);
    return metadata;
  }

  async #planCreate(identifier: TableIdentifier, request: CreateTableRequest): Promise<TableMetadata> {
    await this.#checkFree(identifier);
    const { store, nowMs, uuid } = this.#options;
    const metadata = newTableMetadata({
      schema: request.schema,
      partitionSpec: request.partitionSpec,
      sortOrder: request.sortOrder,
      properties: request.properties,
      location: request.location ?? (await this.#freeFolder(identifier)),
      uuid: uuid(),
      nowMs: nowMs(),
    });
    checkTableLocations(store.root, metadata);
    return metadata;
  }

  async create(identifier: TableIdentifier, request: CreateTableRequest): Promise<StoredMetadata> {
    return this.#locks.run([tableName(identifier)], async () => {
      const after = await this.#options.files.write(await this.#planCreate(identifier, request), undefined);
      await this.#swap([{ identifier, before: undefined, after }]);
      return after;
    });
  }

  /** @param overwrite points an existing table at the file, instead of refusing */
  async register(identifier: TableIdentifier, metadataLocation: string, overwrite: boolean): Promise<StoredMetadata> {
    const { database, files, store } = this.#options;
    checkIdentifier(identifier);
    checkLocation(store.root, metadataLocation, "metadata-location");
    return this.#locks.run([tableName(identifier)], async () => {
      const existing = await database.loadPointer(identifier);
      if (existing !== undefined && !overwrite) throw catalogFailure.tableExists(identifier);
      const after = await files.read(metadataLocation);
      checkTableLocations(store.root, after.metadata);
      const change: PointerChange = {
        identifier,
        oldLocation: existing?.metadataLocation,
        newLocation: metadataLocation,
      };
      await this.#refuse(await database.swapPointers([change]));
      return after;
    });
  }

  async commit(change: TableChange): Promise<StoredMetadata> {
    const [after] = await this.#commitAll([change]);
    return after as StoredMetadata;
  }

  /** All changes or none. */
  async commitTransaction(changes: readonly TableChange[]): Promise<void> {
    const names = changes.map((change) => tableName(change.identifier));
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw shapeError("table-changes", `${twice} stands there more than once`);
    await this.#commitAll(changes);
  }

  async rename(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    checkIdentifier(to);
    await this.#locks.run([tableName(from), tableName(to)], async () => {
      switch (await this.#options.database.renamePointer(from, to)) {
        case "renamed":
          return;
        case "missing":
          throw catalogFailure.noTable(from);
        case "exists":
          throw catalogFailure.tableExists(to);
        case "no_namespace":
          throw catalogFailure.noNamespace(to.namespace);
      }
    });
  }

  /** Takes the table out of the catalog and returns its last metadata location; files stay. */
  async drop(identifier: TableIdentifier): Promise<string> {
    return this.#locks.run([tableName(identifier)], async () => {
      const location = await this.#options.database.dropPointer(identifier);
      if (location === undefined) throw catalogFailure.noTable(identifier);
      return location;
    });
  }

  #commitAll(changes: readonly TableChange[]): Promise<StoredMetadata[]> {
    const keys = changes.map((change) => tableName(change.identifier));
    return this.#locks.run(keys, async () => {
      for (let attempt = 1; ; attempt += 1) {
        const planned = await this.#writeAll(changes);
        const changed = planned.filter((change) => change.before?.metadataLocation !== change.after.metadataLocation);
        if (await this.#swap(changed, attempt < SWAP_ATTEMPTS_MAX)) return planned.map((change) => change.after);
      }
    });
  }

  /** Plans every change before the first file is written, so that a refused one leaves none behind. */
  async #writeAll(changes: readonly TableChange[]): Promise<PlannedChange[]> {
    const plans: { identifier: TableIdentifier; before: StoredMetadata | undefined; metadata: TableMetadata }[] = [];
    for (const change of changes) plans.push({ identifier: change.identifier, ...(await this.#plan(change)) });
    return Promise.all(
      plans.map(async ({ identifier, before, metadata }) => {
        if (before !== undefined && metadata === before.metadata) return { identifier, before, after: before };
        return { identifier, before, after: await this.#options.files.write(metadata, before?.metadataLocation) };
      }),
    );
  }

  async #plan(change: TableChange): Promise<{ before: StoredMetadata | undefined; metadata: TableMetadata }> {
    const { database, store, files, nowMs } = this.#options;
    const create = isCreate(change);
    const exists = (await database.loadPointer(change.identifier)) !== undefined;
    if (!exists && !create) throw catalogFailure.noTable(change.identifier);
    if (!exists) await this.#checkFree(change.identifier);
    const before = exists ? await this.#current(change.identifier, (at) => files.read(at)) : undefined;
    // Times of a table never run backwards, whatever the clock does.
    const timeMs = Math.max(nowMs(), before?.metadata["last-updated-ms"] ?? 0);
    const metadata = planCommit(before, change, timeMs);
    checkTableLocations(store.root, metadata, before?.metadata);
    return { before, metadata };
  }

  /** False when another process came first and the caller may plan again. */
  async #swap(changes: readonly PlannedChange[], mayRetry = false): Promise<boolean> {
    const { database, files } = this.#options;
    if (changes.length === 0) return true;
    const result = await database.swapPointers(
      changes.map(({ identifier, before, after }) => ({
        identifier,
        oldLocation: before?.metadataLocation,
        newLocation: after.metadataLocation,
      })),
    );
    if (result.kind !== "swapped") {
      files.deleteLater(changes.map((change) => change.after.metadataLocation));
      if (result.kind === "moved" && mayRetry) return false;
      await this.#refuse(result);
    }
    for (const { before, after } of changes) {
      files.committed(after, before?.metadataLocation);
      if (before !== undefined) files.deleteLater(expiredMetadataFiles(before.metadata, after.metadata));
    }
    return true;
  }

  async #refuse(result: Awaited<ReturnType<CatalogDatabase["swapPointers"]>>): Promise<void> {
    switch (result.kind) {
      case "swapped":
        return;
      case "moved":
        throw new LakeError("conflict", `Cannot commit ${tableName(result.identifier)}: it changed meanwhile`);
      case "exists":
        throw catalogFailure.tableExists(result.identifier);
      case "missing":
        throw catalogFailure.noTable(result.identifier);
      case "no_namespace":
        throw catalogFailure.noNamespace(result.identifier.namespace);
    }
  }

  async #checkFree(identifier: TableIdentifier): Promise<void> {
    checkIdentifier(identifier);
    const { database } = this.#options;
    if (!(await database.namespaceExists(namespaceText(identifier.namespace)))) {
      throw catalogFailure.noNamespace(identifier.namespace);
    }
    if (await this.exists(identifier)) throw catalogFailure.tableExists(identifier);
  }

  /** `<namespace>/<table>` below the warehouse or the namespace's own location, unless another table lies there. */
  async #freeFolder(identifier: TableIdentifier): Promise<string> {
    const { database, store, uuid } = this.#options;
    const properties = await database.loadNamespace(namespaceText(identifier.namespace));
    const base = properties?.["location"] ?? namespaceFolder(store.root, identifier.namespace);
    const folder = tableFolder(base.replace(/\/+$/, ""), identifier.name);
    return (await database.folderInUse(folder)) ? tableFolder(base, identifier.name, uuid().slice(0, 8)) : folder;
  }
}
