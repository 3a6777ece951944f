import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { objectStoreContract } from "./contract/object-store-contract.ts";
import { openFileStore } from "./file-store.ts";

const newFolder = () => mkdtemp(join(tmpdir(), "firn-file-store-"));

objectStoreContract("file", async () => {
  const folder = await newFolder();
  const store = await openFileStore({ root: join(folder, "warehouse") });
  return { store, close: () => rm(folder, { recursive: true, force: true }) };
});

describe("file store", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await realpath(await newFolder());
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("takes every spelling of a file location", async () => {
    const store = await openFileStore({ root: `file:${folder}/w` });
    expect(store.root).toBe(`file://${folder}/w`);
    await store.put(`file:${folder}/w/a`, Buffer.from("a"));
    for (const spelling of [`${folder}/w/a`, `file://${folder}/w//a`, `file://localhost${folder}/w/./a`]) {
      expect(Buffer.from(await store.get(spelling)).toString()).toBe("a");
    }
    await expect(store.get("s3://bucket/a")).rejects.toMatchObject({ kind: "invalid" });
  });

  it("takes locations below the root's real path when the root is a link", async () => {
    await mkdir(join(folder, "real"));
    await symlink(join(folder, "real"), join(folder, "link"));
    const store = await openFileStore({ root: join(folder, "link") });
    await store.put(`file://${folder}/real/a`, Buffer.from("a"));
    expect(Buffer.from(await store.get(`file://${folder}/link/a`)).toString()).toBe("a");
  });

  it("hides unfinished writes and leaves none behind", async () => {
    const store = await openFileStore({ root: folder });
    await writeFile(join(folder, ".firn-0b4c8a51-5a39-4e84-93ba-62a4bb31dcb1.tmp"), "half");
    const locations: string[] = [];
    for await (const object of store.list(folder)) locations.push(object.location);
    expect(locations).toEqual([]);
    await store.put(`${folder}/d/a`, Buffer.from("a"), { ifAbsent: true });
    await store.put(`${folder}/d/a`, Buffer.from("a"), { ifAbsent: true }).catch(() => undefined);
    expect(await readdir(join(folder, "d"))).toEqual(["a"]);
  });

  it("makes a folder again that went away", async () => {
    const store = await openFileStore({ root: folder });
    await store.put(`${folder}/d/e/a`, Buffer.from("a"));
    await rm(join(folder, "d"), { recursive: true });
    await store.put(`${folder}/d/e/b`, Buffer.from("b"));
    expect(await readdir(join(folder, "d", "e"))).toEqual(["b"]);
  });

  it("says invalid for a folder in place of an object", async () => {
    const store = await openFileStore({ root: folder });
    await store.put(`${folder}/d/a`, Buffer.from("a"));
    await expect(store.get(`${folder}/d`)).rejects.toMatchObject({ kind: "invalid" });
    expect(await store.stat(`${folder}/d`)).toBeUndefined();
  });
});
