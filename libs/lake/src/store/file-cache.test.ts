import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempFolder, type TempFolder } from "@firn/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FileCache } from "./file-cache.ts";

let folder: TempFolder;
let nowMs = 0;
let fetched: string[] = [];
beforeEach(async () => {
  folder = await tempFolder("file-cache");
  nowMs = 1_000;
  fetched = [];
});
afterEach(() => folder.remove());

const open = (bytesMax: number) =>
  FileCache.open({ folder: join(folder.path, "cache"), bytesMax, keepMs: 100, nowMs: () => nowMs });
const fetchOf = (text: string) => async (to: string) => {
  fetched.push(text);
  await writeFile(to, text);
};

it("fetches an object once, also for callers at the same time", async () => {
  const cache = await open(1_000);
  const paths = await Promise.all([1, 2, 3].map(() => cache.path("s3://b/x", 3, fetchOf("one"))));
  expect(new Set([...paths, await cache.path("s3://b/x", undefined, fetchOf("two"))]).size).toBe(1);
  expect(fetched).toEqual(["one"]);
  expect(await readFile(paths[0]!, "utf8")).toBe("one");
});

it("keeps to its limit by what was used last, but lets nothing go that was just handed out", async () => {
  const cache = await open(10);
  const [a, b] = [
    await cache.path("s3://b/a", 6, fetchOf("aaaaaa")),
    await cache.path("s3://b/b", 6, fetchOf("bbbbbb")),
  ];
  expect(cache.bytes).toBe(12);
  nowMs += 200;
  await cache.path("s3://b/a", 6, fetchOf("again"));
  await cache.path("s3://b/c", 4, fetchOf("cccc"));
  expect(cache.bytes).toBe(10);
  expect(await readFile(a, "utf8")).toBe("aaaaaa");
  await expect(readFile(b, "utf8")).rejects.toMatchObject({ code: "ENOENT" });
  await cache.path("s3://b/b", 6, fetchOf("bbbbbb"));
  expect(fetched).toEqual(["aaaaaa", "bbbbbb", "cccc", "bbbbbb"]);
});

it("takes a file that is there already, and drops what went", async () => {
  const cache = await open(1_000);
  const local = join(folder.path, "local");
  await writeFile(local, "taken");
  await cache.take("s3://b/t", local, 5);
  expect(await readFile(await cache.path("s3://b/t", 5, fetchOf("never")), "utf8")).toBe("taken");
  await cache.drop("s3://b/t");
  expect(await readFile(await cache.path("s3://b/t", 3, fetchOf("new")), "utf8")).toBe("new");
  expect(fetched).toEqual(["new"]);
});

it("leaves nothing of a fetch that failed, nor of a process before", async () => {
  const cache = await open(1_000);
  const broken = async (to: string) => {
    await writeFile(to, "half");
    throw new Error("broke off");
  };
  await expect(cache.path("s3://b/x", 8, broken)).rejects.toThrow("broke off");
  expect(await readdir(join(folder.path, "cache"))).toEqual([]);
  await cache.path("s3://b/x", 5, fetchOf("whole"));
  await open(1_000);
  expect(await readdir(join(folder.path, "cache"))).toEqual([]);
});

it("fetches again what somebody cleared away", async () => {
  const cache = await open(1_000);
  await cache.path("s3://b/x", 3, fetchOf("one"));
  await rm(join(folder.path, "cache"), { recursive: true });
  expect(await readFile(await cache.path("s3://b/x", 3, fetchOf("two")), "utf8")).toBe("two");
});

it("says corrupt for another size, and does not keep it", async () => {
  const cache = await open(1_000);
  await expect(cache.path("s3://b/x", 8, fetchOf("short"))).rejects.toMatchObject({ kind: "corrupt" });
  expect(await readFile(await cache.path("s3://b/x", 8, fetchOf("complete")), "utf8")).toBe("complete");
});
