import { expect, it } from "vitest";
import { manifestCache } from "./manifest-cache.ts";

const sized = (value: string, bytes: number) => ({ value, bytes });

it("loads once, also for readers at the same time", async () => {
  const cache = manifestCache(100);
  let loads = 0;
  const read = async () => sized(`v${++loads}`, 10);
  expect(await Promise.all([cache.load("a", read), cache.load("a", read)])).toEqual(["v1", "v1"]);
  expect(await cache.load("a", read)).toBe("v1");
  expect(cache.bytes).toBe(10);
});

it("lets the least recently used go when it is full", async () => {
  const cache = manifestCache(30);
  for (const name of ["a", "b", "c"]) cache.keep(name, sized(name, 10));
  await cache.load("a", async () => sized("again", 10));
  cache.keep("d", sized("d", 10));
  expect(await cache.load("a", async () => sized("again", 10))).toBe("a");
  expect(await cache.load("b", async () => sized("again", 10))).toBe("again");
  expect(cache.bytes).toBe(30);
});

it("does not keep what is larger than itself, nor failures", async () => {
  const cache = manifestCache(30);
  cache.keep("a", sized("a", 31));
  expect(cache.bytes).toBe(0);
  await expect(cache.load("b", () => Promise.reject(new Error("no")))).rejects.toThrowError("no");
  expect(await cache.load("b", async () => sized("b", 1))).toBe("b");
});
