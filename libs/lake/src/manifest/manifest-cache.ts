/**
 * Decoded manifests and manifest lists by location. They never change once written, so an entry is never stale; the
 * least recently used go when the sum of the sizes passes the limit. Readers that ask for the same one at the same
 * time share one load; a failed load is not kept.
 */
export interface ManifestCache {
  load<T>(location: string, read: () => Promise<Sized<T>>): Promise<T>;
  /** Puts what was just written, so that the next reader need not fetch it. */
  keep<T>(location: string, sized: Sized<T>): void;
  readonly bytes: number;
}

export interface Sized<T> {
  readonly value: T;
  /** Roughly what the value takes in memory. */
  readonly bytes: number;
}

export function manifestCache(bytesMax: number): ManifestCache {
  // A Map keeps the order of insertion: reading an entry moves it to the end, the first is the oldest.
  const kept = new Map<string, Sized<unknown>>();
  const loading = new Map<string, Promise<unknown>>();
  let bytes = 0;

  const drop = (location: string): void => {
    const entry = kept.get(location);
    if (entry === undefined) return;
    kept.delete(location);
    bytes -= entry.bytes;
  };
  const keep = (location: string, sized: Sized<unknown>): void => {
    drop(location);
    if (sized.bytes > bytesMax) return;
    kept.set(location, sized);
    bytes += sized.bytes;
    for (const oldest of kept.keys()) {
      if (bytes <= bytesMax) break;
      drop(oldest);
    }
  };
  const loadOnce = async <T>(location: string, read: () => Promise<Sized<T>>): Promise<T> => {
    try {
      const sized = await read();
      keep(location, sized);
      return sized.value;
    } finally {
      loading.delete(location);
    }
  };

  return {
    async load<T>(location: string, read: () => Promise<Sized<T>>): Promise<T> {
      const hit = kept.get(location);
      if (hit !== undefined) {
        kept.delete(location);
        kept.set(location, hit);
        return hit.value as T;
      }
      const running = (loading.get(location) as Promise<T> | undefined) ?? loadOnce(location, read);
      loading.set(location, running);
      return running;
    },
    keep,
    get bytes() {
      return bytes;
    },
  };
}
