import { parkedKey, resumeKey } from "@firn/core";
import { expect, test } from "vitest";
import { silentLogger } from "./logger.ts";
import { Parking, type ParkedStore } from "./parking.ts";

/** A store that counts what is asked of it. */
class Store implements ParkedStore {
  readonly values = new Map<string, unknown>();
  puts = 0;
  get = (key: string) => Promise.resolve(this.values.get(key));
  async put(key: string, value: unknown): Promise<void> {
    this.puts += 1;
    this.values.set(key, value);
  }
  async delete(key: string): Promise<void> {
    this.values.delete(key);
  }
}

const ended = AbortSignal.abort();

test("says once what is parked and why, until work goes on", async () => {
  const store = new Store();
  const parking = new Parking("validator", store, silentLogger());
  expect(parking.whyNotReady()).toBeUndefined();
  for (let look = 0; look < 3; look++) expect(await parking.park("health.0", "gone", "restore", ended)).toBeUndefined();
  expect(store.puts).toBe(1);
  expect(store.values.get(parkedKey("validator", "health.0"))).toEqual({
    stage: "validator",
    shard: "health.0",
    reason: "gone",
    fix: "restore",
  });
  expect(parking.whyNotReady()).toBe("health.0: gone");
  await parking.clear("health.0");
  expect(parking.whyNotReady()).toBeUndefined();
  expect(store.values.size).toBe(0);
});

test("hands on an operator's order, and forgets it when it is carried out", async () => {
  const store = new Store();
  const parking = new Parking("validator", store, silentLogger());
  await store.put(resumeKey("validator", "health.0"), { from: 7 });
  expect(await parking.park("health.0", "gone", "restore", ended)).toEqual({ from: 7 });
  await parking.obeyed("health.0");
  expect(await parking.park("health.0", "gone", "restore", ended)).toBeUndefined();
});

test("clears what an earlier process left behind", async () => {
  const store = new Store();
  for (const key of [parkedKey("validator", "health.0"), resumeKey("validator", "health.0")]) await store.put(key, {});
  await new Parking("validator", store, silentLogger()).clear("health.0");
  expect(store.values.size).toBe(0);
});

test("what another process takes over stays parked for it to find, and not here", async () => {
  const store = new Store();
  const parking = new Parking("validator", store, silentLogger());
  await parking.park("health.0", "gone", "restore", ended);
  parking.handOver("health.0");
  expect(parking.whyNotReady()).toBeUndefined();
  expect(store.values.has(parkedKey("validator", "health.0"))).toBe(true);
  await new Parking("validator", store, silentLogger()).clear("health.0");
  expect(store.values.size).toBe(0);
});
