import { join } from "node:path";
import { createLakeMetrics } from "./lake-metrics.ts";
import type { Metrics } from "./metrics.ts";
import { s3SettingsOf, type StoreSettings } from "./store-settings.ts";

/**
 * What `openLake` of @firn/lake takes, from a service's settings. Once a service: what it counts are metrics of the process,
 * and its copies of objects on S3 lie in a folder of its own.
 *
 * @throws ConfigError when half of a pair of S3 keys is there
 */
export function lakeOptionsOf<S extends StoreSettings & { readonly dataDir: string }>(
  service: string,
  { settings, metrics }: { readonly settings: S; readonly metrics: Metrics },
) {
  return {
    ...settings,
    s3: s3SettingsOf(settings),
    observer: createLakeMetrics(metrics),
    cacheFolder: join(settings.dataDir, "objects", service),
  };
}
