import {
  catalogFailure,
  checkIdentifier,
  planViewCommit,
  type TableIdentifier,
  type UnnumberedSchema,
  type ViewCommit,
  type ViewMetadata,
  type ViewVersion,
} from "@firn/lake";
import { SWAP_ATTEMPTS_MAX, type EntryStore } from "../entry-store.ts";
import type { MetadataFiles } from "../metadata/metadata-files.ts";
import type { StoredMetadata } from "../metadata/stored-metadata.ts";
import { checkLocation, checkLocations } from "../metadata/warehouse-rules.ts";

export type StoredView = StoredMetadata<ViewMetadata>;

export interface CreateViewRequest {
  readonly schema: UnnumberedSchema;
  readonly version: ViewVersion;
  /** Where the view's metadata lies; chosen by the catalog when absent. */
  readonly location?: string;
  readonly properties: Readonly<Record<string, string>>;
}

export interface ViewCatalogOptions {
  readonly entries: EntryStore<ViewMetadata>;
  readonly files: MetadataFiles<ViewMetadata>;
  /** The warehouse, normalised. */
  readonly root: string;
  readonly nowMs: () => number;
  readonly uuid: () => string;
}

/** Views of the catalog: what a request makes of a view's metadata. */
export class ViewCatalog {
  readonly #options: ViewCatalogOptions;

  constructor(options: ViewCatalogOptions) {
    this.#options = options;
  }

  async create(identifier: TableIdentifier, request: CreateViewRequest): Promise<StoredView> {
    const { entries, files, root, nowMs, uuid } = this.#options;
    return entries.locked([identifier], async () => {
      await entries.checkFree(identifier);
      const location = request.location ?? (await entries.freeFolder(identifier));
      const updates: ViewCommit["updates"] = [
        { action: "assign-uuid", uuid: uuid() },
        { action: "set-location", location },
        { action: "set-properties", updates: request.properties },
        { action: "add-schema", schema: request.schema },
        { action: "add-view-version", "view-version": { ...request.version, "schema-id": -1 } },
        { action: "set-current-view-version", "view-version-id": -1 },
      ];
      const metadata = planViewCommit(undefined, { requirements: [], updates }, nowMs());
      checkLocations(root, metadata);
      const after = await files.write(metadata, undefined);
      await entries.swap([{ identifier, before: undefined, after }]);
      return after;
    });
  }

  async register(identifier: TableIdentifier, metadataLocation: string): Promise<StoredView> {
    const { entries, files, root } = this.#options;
    checkIdentifier(identifier);
    checkLocation(root, metadataLocation, "metadata-location");
    return entries.locked([identifier], async () => {
      await entries.checkFree(identifier);
      const after = await files.read(metadataLocation);
      checkLocations(root, after.metadata);
      await entries.point(identifier, after, undefined);
      return after;
    });
  }

  async commit(identifier: TableIdentifier, commit: ViewCommit): Promise<StoredView> {
    const { entries, files, root, nowMs } = this.#options;
    return entries.locked([identifier], async () => {
      for (let attempt = 1; ; attempt += 1) {
        const before = await entries.read(identifier);
        if (before === undefined) throw catalogFailure.noView(identifier);
        const metadata = planViewCommit(before.metadata, commit, nowMs());
        if (metadata === before.metadata) return before;
        checkLocations(root, metadata, before.metadata);
        const after = await files.write(metadata, before.metadataLocation);
        if (await entries.swap([{ identifier, before, after }], attempt < SWAP_ATTEMPTS_MAX)) return after;
      }
    });
  }
}
