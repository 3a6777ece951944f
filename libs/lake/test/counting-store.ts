import type { ObjectStore } from "../src/store/object-store.ts";

/** A store that counts its calls by name; calls that never happened are missing. */
export function countingStore(inner: ObjectStore): {
  readonly store: ObjectStore;
  readonly calls: Record<string, number>;
  reset(): void;
} {
  const calls: Record<string, number> = {};
  const store = new Proxy(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls[String(property)] = (calls[String(property)] ?? 0) + 1;
        return value.apply(target, args) as unknown;
      };
    },
  });
  return { store, calls, reset: () => Object.keys(calls).forEach((name) => delete calls[name]) };
}
