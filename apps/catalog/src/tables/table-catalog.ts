import {
  catalogFailure,
  checkIdentifier,
  expiredMetadataFiles,
  isCreate,
  newTableMetadata,
  planCommit,
  shapeError,
  tableName,
  type CreateTableRequest,
  type TableCommit,
  type TableIdentifier,
  type TableMetadata,
} from "@firn/lake";
import { SWAP_ATTEMPTS_MAX, type EntryStore, type PlannedChange } from "../entry-store.ts";
import type { CommitEvents } from "../events/commit-events.ts";
import type { MetadataFiles } from "../metadata/metadata-files.ts";
import type { StoredMetadata } from "../metadata/stored-metadata.ts";
import { checkLocation } from "../metadata/warehouse-rules.ts";
import { makeMetadataFolder } from "./local-folders.ts";
import { checkTableLocations } from "./table-locations.ts";

export type StoredTable = StoredMetadata<TableMetadata>;

export interface TableCatalogOptions {
  readonly entries: EntryStore<TableMetadata>;
  readonly files: MetadataFiles<TableMetadata>;
  /** The warehouse, normalised. */
  readonly root: string;
  readonly events: CommitEvents;
  readonly nowMs: () => number;
  readonly uuid: () => string;
}

export type TableChange = TableCommit & { readonly identifier: TableIdentifier };

/** Tables of the catalog: what a request makes of a table's metadata. Where it lies is the entry store's matter. */
export class TableCatalog {
  readonly #options: TableCatalogOptions;

  constructor(options: TableCatalogOptions) {
    this.#options = options;
  }

  /** Metadata of a table that is only planned: nothing is written, a later commit with assert-create makes it. */
  async stageCreate(identifier: TableIdentifier, request: CreateTableRequest): Promise<TableMetadata> {
    const metadata = await this.#planCreate(identifier, request);
    await makeMetadataFolder(metadata);
    return metadata;
  }

  async #planCreate(identifier: TableIdentifier, request: CreateTableRequest): Promise<TableMetadata> {
    const { entries, root, nowMs, uuid } = this.#options;
    await entries.checkFree(identifier);
    const metadata = newTableMetadata({
      schema: request.schema,
      partitionSpec: request.partitionSpec,
      sortOrder: request.sortOrder,
      properties: request.properties,
      location: request.location ?? (await entries.freeFolder(identifier)),
      uuid: uuid(),
      nowMs: nowMs(),
    });
    checkTableLocations(root, metadata);
    return metadata;
  }

  async create(identifier: TableIdentifier, request: CreateTableRequest): Promise<StoredTable> {
    const { entries, files, events } = this.#options;
    return entries.locked([identifier], async () => {
      const after = await files.write(await this.#planCreate(identifier, request), undefined);
      await entries.swap([{ identifier, before: undefined, after }]);
      events.committed(identifier, after);
      return after;
    });
  }

  /** @param overwrite points an existing table at the file, instead of refusing */
  async register(identifier: TableIdentifier, metadataLocation: string, overwrite: boolean): Promise<StoredTable> {
    const { entries, files, root, events } = this.#options;
    checkIdentifier(identifier);
    checkLocation(root, metadataLocation, "metadata-location");
    return entries.locked([identifier], async () => {
      const existing = overwrite ? await entries.locate(identifier) : undefined;
      if (existing === undefined) await entries.checkFree(identifier);
      const after = await files.read(metadataLocation);
      checkTableLocations(root, after.metadata);
      await entries.point(identifier, after, existing);
      events.committed(identifier, after);
      return after;
    });
  }

  async commit(change: TableChange): Promise<StoredTable> {
    const [after] = await this.#commitAll([change]);
    return after as StoredTable;
  }

  /** All changes or none. */
  async commitTransaction(changes: readonly TableChange[]): Promise<StoredTable[]> {
    const names = changes.map((change) => tableName(change.identifier));
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw shapeError("table-changes", `${twice} stands there more than once`);
    return this.#commitAll(changes);
  }

  #commitAll(changes: readonly TableChange[]): Promise<StoredTable[]> {
    const { entries, files, events } = this.#options;
    const identifiers = changes.map((change) => change.identifier);
    return entries.locked(identifiers, async () => {
      for (let attempt = 1; ; attempt += 1) {
        const planned = await this.#writeAll(changes);
        const changed = planned.filter((change) => change.before?.metadataLocation !== change.after.metadataLocation);
        if (!(await entries.swap(changed, attempt < SWAP_ATTEMPTS_MAX))) continue;
        for (const { identifier, before, after } of changed) {
          events.committed(identifier, after);
          if (before !== undefined) files.deleteLater(expiredMetadataFiles(before.metadata, after.metadata));
        }
        return planned.map((change) => change.after);
      }
    });
  }

  /** Plans every change before the first file is written, so that a refused one leaves none behind. */
  async #writeAll(changes: readonly TableChange[]): Promise<PlannedChange<TableMetadata>[]> {
    const plans: { identifier: TableIdentifier; before: StoredTable | undefined; metadata: TableMetadata }[] = [];
    for (const change of changes) plans.push({ identifier: change.identifier, ...(await this.#plan(change)) });
    return Promise.all(
      plans.map(async ({ identifier, before, metadata }) => {
        if (before !== undefined && metadata === before.metadata) return { identifier, before, after: before };
        return { identifier, before, after: await this.#options.files.write(metadata, before?.metadataLocation) };
      }),
    );
  }

  async #plan(change: TableChange): Promise<{ before: StoredTable | undefined; metadata: TableMetadata }> {
    const { entries, root, nowMs } = this.#options;
    const create = isCreate(change);
    const before = await entries.read(change.identifier);
    if (before === undefined && !create) throw catalogFailure.noTable(change.identifier);
    if (before === undefined) await entries.checkFree(change.identifier);
    // Times of a table never run backwards, whatever the clock does.
    const timeMs = Math.max(nowMs(), before?.metadata["last-updated-ms"] ?? 0);
    const metadata = planCommit(before, change, timeMs);
    checkTableLocations(root, metadata, before?.metadata);
    return { before, metadata };
  }
}
