import { appendFile, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CheckedFiles } from "./checked-files.ts";
import { checksummedName, checksumOf, checksumOfFile, checksumOfName, checksumOfNewFile } from "./named-checksum.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "firn-checksum-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("names", () => {
  it("carry the checksum that gzip and zip know", () => {
    const name = checksummedName("a-00000", checksumOf(Buffer.from("123456789")), "parquet");
    expect(name).toBe("a-00000.crc32_cbf43926.parquet");
    expect(checksumOfName(`s3://b/t/data/day=1/${name}`)).toBe(0xcbf43926);
    expect(checksummedName("x", 7, "metadata.json")).toBe("x.crc32_00000007.metadata.json");
    expect(checksumOfName("x.crc32_00000007.metadata.json")).toBe(7);
  });
  it("of others carry none", () => {
    for (const name of ["00000-a.parquet", "a.crc32_cbf4392.parquet", "a.crc32_cbf43926", "a.crc32_cbf43926.d/b", ""])
      expect(checksumOfName(name)).toBeUndefined();
  });
});

describe("checksums of files", () => {
  it("are those of their bytes, whatever their size", async () => {
    for (const size of [0, 1, 256 * 1024, 256 * 1024 + 1, 3_500_000]) {
      const bytes = Buffer.alloc(size, "firn");
      const path = join(folder, String(size));
      await writeFile(path, bytes);
      expect(await checksumOfFile(path, size)).toBe(checksumOf(bytes));
      expect(await checksumOfFile(path)).toBe(checksumOf(bytes));
      expect(await checksumOfNewFile(path)).toBe(checksumOf(bytes));
    }
  });
});

describe("checked files", () => {
  const good = Buffer.from("PAR1 and so on");
  const name = checksummedName("f", checksumOf(good), "parquet");

  it("are noticed when they change, even where the time of change was set back", async () => {
    const files = new CheckedFiles();
    const path = join(folder, name);
    await writeFile(path, good);
    await utimes(path, 1, 1);
    await Promise.all([files.check(name, path), files.check(name, path)]);
    // Older than the tick of the clock that times of change are of.
    await sleep(300);
    await files.check(name, path);
    await sleep(300);
    const bad = Buffer.from(good);
    bad[5]! ^= 1;
    await writeFile(path, bad);
    await utimes(path, 1, 1);
    await expect(files.check(name, path)).rejects.toMatchObject({ kind: "corrupt" });
    await expect(files.check(name, path)).rejects.toMatchObject({ context: { location: name } });
    await writeFile(path, good);
    await files.check(name, path);
  });

  it("that were just written are not read, until they change", async () => {
    const files = new CheckedFiles();
    const path = join(folder, name);
    const bad = Buffer.from(good);
    bad[5]! ^= 1;
    await writeFile(path, bad);
    files.wrote(path, await stat(path));
    await files.check(name, path);
    await sleep(300);
    await utimes(path, 1, 1);
    await expect(files.check(name, path)).rejects.toMatchObject({ kind: "corrupt" });
  });

  it("that are missing or have another size than expected are left to who opens them", async () => {
    const files = new CheckedFiles();
    const path = join(folder, name);
    await files.check(name, path);
    await writeFile(path, good);
    await appendFile(path, "x");
    await files.check(name, path, good.length);
    await expect(files.check(name, path)).rejects.toMatchObject({ kind: "corrupt" });
  });
});
