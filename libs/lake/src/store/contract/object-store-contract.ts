import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { joinLocation } from "../location.ts";
import { checksummedName, checksumOf } from "../named-checksum.ts";
import type { ObjectStore } from "../object-store.ts";

export interface OpenedStore {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What every object store promises. Run it against each adapter. */
export function objectStoreContract(adapter: string, open: () => Promise<OpenedStore>): void {
  describe(`object store contract: ${adapter}`, () => {
    let opened: OpenedStore;
    let store: ObjectStore;
    let local: string;
    const at = (...names: string[]): string => joinLocation(store.root, ...names);
    const listed = async (prefix: string): Promise<string[]> => {
      const locations: string[] = [];
      for await (const object of store.list(prefix)) locations.push(object.location);
      return locations.sort();
    };
    const localFile = async (name: string, text: string): Promise<string> => {
      const path = join(local, name);
      await writeFile(path, text);
      return path;
    };

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
      local = await mkdtemp(join(tmpdir(), "firn-contract-"));
    });
    afterEach(async () => {
      await opened.close();
      await rm(local, { recursive: true, force: true });
    });

    it("gives back what was put, whole and by range", async () => {
      await store.put(at("a", "b.bin"), bytesOf("0123456789"));
      expect(textOf(await store.get(at("a", "b.bin")))).toBe("0123456789");
      expect(textOf(await store.getRange(at("a", "b.bin"), 2, 3))).toBe("234");
      expect(textOf(await store.getRange(at("a", "b.bin"), 8, 100))).toBe("89");
      expect(textOf(await store.getRange(at("a", "b.bin"), 100, 5))).toBe("");
    });

    it("keeps an empty object", async () => {
      await store.put(at("empty"), new Uint8Array());
      expect((await store.get(at("empty"))).length).toBe(0);
      expect((await store.stat(at("empty")))?.sizeBytes).toBe(0);
    });

    it("keeps bytes and not the caller's array", async () => {
      const bytes = bytesOf("before");
      await store.put(at("x"), bytes);
      bytes.fill(0);
      expect(textOf(await store.get(at("x")))).toBe("before");
    });

    it("replaces an object that is there", async () => {
      await store.put(at("x"), bytesOf("a longer text"));
      await store.put(at("x"), bytesOf("short"));
      expect(textOf(await store.get(at("x")))).toBe("short");
    });

    it("says not_found for reads of what is not there, and undefined for stat", async () => {
      await expect(store.get(at("no", "such"))).rejects.toMatchObject({ kind: "not_found" });
      await expect(store.getRange(at("no", "such"), 0, 1)).rejects.toMatchObject({ kind: "not_found" });
      expect(await store.stat(at("no", "such"))).toBeUndefined();
    });

    it("lets one of several writers make an object that is absent", async () => {
      const attempts = Array.from({ length: 8 }, (_, n) =>
        store.put(at("d", "v1"), bytesOf(`w${n}`), { ifAbsent: true }),
      );
      const ends = await Promise.allSettled(attempts);
      expect(ends.filter((end) => end.status === "fulfilled")).toHaveLength(1);
      for (const end of ends) {
        if (end.status === "rejected") expect(end.reason).toMatchObject({ kind: "already_exists" });
      }
      const winner = ends.findIndex((end) => end.status === "fulfilled");
      expect(textOf(await store.get(at("d", "v1")))).toBe(`w${winner}`);
      await expect(store.put(at("d", "v1"), bytesOf("late"), { ifAbsent: true })).rejects.toMatchObject({
        kind: "already_exists",
      });
      expect(await listed(at("d"))).toEqual([at("d", "v1")]);
    });

    it("lists all objects below a folder, and none beside it", async () => {
      for (const name of ["t/data/p=1/a", "t/data/p=1/b", "t/data/c", "t/database", "u/d"]) {
        await store.put(at(...name.split("/")), bytesOf(name));
      }
      expect(await listed(at("t", "data"))).toEqual([at("t/data/c"), at("t/data/p=1/a"), at("t/data/p=1/b")]);
      expect(await listed(`${at("t", "data")}/`)).toEqual(await listed(at("t", "data")));
      expect(await listed(store.root)).toHaveLength(5);
      expect(await listed(at("nothing"))).toEqual([]);
    });

    it("lists sizes and times", async () => {
      await store.put(at("x"), bytesOf("12345"));
      for await (const object of store.list(store.root)) {
        expect(object.sizeBytes).toBe(5);
        expect(Math.abs(object.modifiedMs - Date.now())).toBeLessThan(120_000);
      }
      expect(await store.stat(at("x"))).toMatchObject({ sizeBytes: 5 });
    });

    it("deletes, and again without a failure", async () => {
      await store.put(at("x"), bytesOf("x"));
      await store.delete(at("x"));
      await store.delete(at("x"));
      expect(await store.stat(at("x"))).toBeUndefined();
    });

    it("keeps odd names apart", async () => {
      const names = ["a b", "a%20b", "a%2Fb", "ä", "a\u0308", "key=va:lue", "#1", "?q=1", "..a", "a..", "$(x)"];
      for (const name of names) await store.put(at("odd", name), bytesOf(name));
      for (const name of names) expect(textOf(await store.get(at("odd", name)))).toBe(name);
      expect(await listed(at("odd"))).toHaveLength(names.length);
    });

    it("refuses everything outside its root", async () => {
      const parent = store.root.slice(0, store.root.lastIndexOf("/"));
      const outside = [
        `${store.root}-other/x`,
        `${parent}/x`,
        at("..", "x"),
        at("a", "..", "..", "x"),
        "relative/x",
        "",
      ];
      for (const location of outside) {
        await expect(store.put(location, bytesOf("x"))).rejects.toMatchObject({ kind: "invalid" });
        await expect(store.get(location)).rejects.toMatchObject({ kind: "invalid" });
        await expect(store.delete(location)).rejects.toMatchObject({ kind: "invalid" });
        await expect(store.localPath(location)).rejects.toMatchObject({ kind: "invalid" });
      }
    });

    it("gives a local path with the object's bytes", async () => {
      await store.put(at("x.parquet"), bytesOf("PAR1"));
      expect(await readFile(await store.localPath(at("x.parquet")), "utf8")).toBe("PAR1");
    });

    it("reads an object whose name carries a checksum with those bytes, or not at all", async () => {
      const name = checksummedName("x", checksumOf(bytesOf("PAR1")), "parquet");
      await store.put(at("good", name), bytesOf("PAR1"));
      expect(textOf(await store.get(at("good", name)))).toBe("PAR1");
      expect(await readFile(await store.localPath(at("good", name), 4), "utf8")).toBe("PAR1");
      await store.put(at("bad", name), bytesOf("PAR2"));
      const damaged = { kind: "corrupt", message: expect.stringContaining("its name says") as unknown };
      await expect(store.get(at("bad", name))).rejects.toMatchObject(damaged);
      await expect(store.localPath(at("bad", name), 4)).rejects.toMatchObject(damaged);
      await expect(store.localPath(at("bad", name), 4)).rejects.toMatchObject(damaged);
    });

    it("looks again at an object that got other bytes", async () => {
      const location = at(checksummedName("y", checksumOf(bytesOf("PAR1")), "parquet"));
      await store.put(location, bytesOf("PAR1"));
      await store.localPath(location, 4);
      await store.put(location, bytesOf("PAR2"));
      await expect(store.localPath(location, 4)).rejects.toMatchObject({ kind: "corrupt" });
    });

    it("adopts a finished file", async () => {
      const path = await localFile("staged", "contents");
      const adopted = await store.adopt(path, at("data", "p=1", "f.parquet"));
      expect(adopted).toEqual({ location: at("data", "p=1", "f.parquet"), sizeBytes: 8 });
      expect(textOf(await store.get(adopted.location))).toBe("contents");
      await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    });

    it("adopts many files in their order", async () => {
      const moves = await Promise.all(
        Array.from({ length: 40 }, async (_, n) => ({
          localPath: await localFile(`f${n}`, "x".repeat(n)),
          location: at("data", `p=${n % 7}`, `f${n}`),
        })),
      );
      const adopted = await store.adoptAll(moves);
      expect(adopted).toEqual(moves.map(({ location }, n) => ({ location, sizeBytes: n })));
      expect(await listed(at("data"))).toHaveLength(40);
    });

    it("fails when a file to adopt is not there", async () => {
      const good = await localFile("good", "x");
      const moves = [
        { localPath: join(local, "missing"), location: at("missing") },
        { localPath: good, location: at("good") },
      ];
      await expect(store.adoptAll(moves)).rejects.toMatchObject({ kind: "not_found" });
      expect(await store.stat(at("missing"))).toBeUndefined();
    });
  });
}
