import { openCatalog, type CatalogAddress } from "./catalog/open-catalog.ts";
import { VendedCredentials } from "./catalog/vended-credentials.ts";
import { lakeEnvironment, type LakeEnvironment } from "./commit/environment.ts";
import type { LakeObserver } from "./lake-observer.ts";
import { openStore } from "./store/open-store.ts";
import type { S3Settings } from "./store/s3/s3-settings.ts";

export interface LakeOptions extends CatalogAddress {
  /** A folder, `file://…` or `s3://bucket/path`. Default: `s3://<s3Bucket>/warehouse`, else `.firn/warehouse`. */
  readonly warehouse?: string | undefined;
  readonly s3Bucket?: string | undefined;
  /** How the S3 server is reached; for `s3://` only. */
  readonly s3?: S3Settings;
  /** Folder of this process alone for local copies of objects on S3; a temporary one when absent. */
  readonly cacheFolder?: string;
  /** Default 4 GiB. */
  readonly fileCacheBytes?: number | undefined;
  /** Memory for decoded manifests, roughly. */
  readonly manifestCacheBytesMax?: number;
  readonly observer?: LakeObserver;
}

const DEFAULT_WAREHOUSE = ".firn/warehouse";

/** The catalog and the store of a lake by their addresses. Nothing is asked of either yet. */
export async function openLake(options: LakeOptions): Promise<LakeEnvironment> {
  const { cacheFolder, fileCacheBytes, manifestCacheBytesMax, observer } = options;
  const s3 = options.s3 && { ...options.s3, ...(observer && { observer }) };
  const vended = options.catalogAccessDelegation === "vended-credentials" ? new VendedCredentials() : undefined;
  return lakeEnvironment({
    catalog: openCatalog(options, vended),
    store: await openStore({
      warehouse: warehouseOf(options),
      ...(s3 === undefined ? {} : { s3 }),
      cacheFolder,
      cacheBytesMax: fileCacheBytes,
      ...(vended === undefined ? {} : { vended }),
    }),
    ...(manifestCacheBytesMax === undefined ? {} : { manifestCacheBytesMax }),
    ...(observer && { observer }),
  });
}

/** The address of the warehouse that these settings name. */
export function warehouseOf({ warehouse, s3Bucket }: Pick<LakeOptions, "warehouse" | "s3Bucket">): string {
  return warehouse ?? (s3Bucket === undefined ? DEFAULT_WAREHOUSE : `s3://${s3Bucket}/warehouse`);
}
