import { randomBytes, randomUUID } from "node:crypto";
import type { Catalog } from "../catalog/catalog.ts";
import { manifestCache, type ManifestCache } from "../manifest/manifest-cache.ts";
import type { LakeObserver } from "../lake-observer.ts";
import type { ObjectStore } from "../store/object-store.ts";

/** What every operation on tables needs from outside. */
export interface LakeEnvironment {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Decoded manifests and manifest lists, which never change. Shared by all tables of the environment. */
  readonly manifests: ManifestCache;
  readonly observer?: LakeObserver;
}

export interface Clock {
  nowMs(): number;
}

export interface Randomness {
  /** A new positive 63-bit snapshot id. */
  snapshotId(): bigint;
  /** For file names. */
  uuid(): string;
}

export interface LakeEnvironmentOptions {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly clock?: Clock;
  readonly randomness?: Randomness;
  /** Memory for decoded manifests, roughly. Default 128 MiB. */
  readonly manifestCacheBytesMax?: number;
  readonly observer?: LakeObserver;
}

const MANIFEST_CACHE_BYTES_MAX = 128 * 1024 * 1024;

const systemClock: Clock = { nowMs: () => Date.now() };

const systemRandomness: Randomness = {
  snapshotId: () => randomBytes(8).readBigUInt64BE() & 0x7fff_ffff_ffff_ffffn || 1n,
  uuid: () => randomUUID(),
};

/** What every operation works with; without a clock and randomness those of the machine. */
export function lakeEnvironment(options: LakeEnvironmentOptions): LakeEnvironment {
  return {
    catalog: options.catalog,
    store: options.store,
    clock: options.clock ?? systemClock,
    randomness: options.randomness ?? systemRandomness,
    manifests: manifestCache(options.manifestCacheBytesMax ?? MANIFEST_CACHE_BYTES_MAX),
    ...(options.observer && { observer: options.observer }),
  };
}
