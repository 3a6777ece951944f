import { resolve } from "node:path";
import { RestCatalog } from "./catalog/rest-catalog.ts";
import { lakeEnvironment, type LakeEnvironment } from "./commit/environment.ts";
import { LakeError } from "./lake-error.ts";
import { openFileStore } from "./store/file-store.ts";

export interface LakeOptions {
  /** Iceberg REST catalog, without `/v1`. */
  readonly catalogUri: string;
  /** A folder, or a `file://` location. */
  readonly warehouse: string;
  /** Memory for decoded manifests, roughly. */
  readonly manifestCacheBytesMax?: number;
}

/** The catalog and the store of a lake by their addresses. Nothing is asked of the catalog yet. */
export async function openLake(options: LakeOptions): Promise<LakeEnvironment> {
  const { catalogUri, warehouse, manifestCacheBytesMax } = options;
  if (/^[a-z0-9]+:\/\//i.test(warehouse) && !warehouse.startsWith("file://"))
    throw new LakeError("unsupported", `warehouse ${warehouse}: only folders and file:// locations are supported`);
  const root = warehouse.startsWith("file:") ? warehouse : resolve(warehouse);
  return lakeEnvironment({
    catalog: new RestCatalog({ uri: catalogUri }),
    store: await openFileStore({ root }),
    ...(manifestCacheBytesMax === undefined ? {} : { manifestCacheBytesMax }),
  });
}
