import { randomBytes, randomUUID } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startFaultProxy, startS3Server, tempFolder, type FaultProxy, type S3Server } from "@firn/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensureVersitygw } from "../../../tools/foreign-servers.mjs";
import { objectStoreContract } from "../src/store/contract/object-store-contract.ts";
import type { ObjectStore } from "../src/store/object-store.ts";
import { openS3Store, type S3StoreOptions } from "../src/store/s3/s3-store.ts";

const BUCKET = "lake";
const kinds = ensureVersitygw() === undefined ? (["seaweedfs"] as const) : (["seaweedfs", "versitygw"] as const);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe.each(kinds)("S3 store on %s", (kind) => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let server: S3Server;
  beforeAll(async () => {
    folder = await tempFolder(kind);
    server = await startS3Server({ kind, dir: join(folder.path, "data") });
    const client = new S3Client({
      endpoint: server.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
    });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    client.destroy();
  });
  afterAll(async () => {
    await server.stop();
    await folder.remove();
  });

  const open = (options: Partial<S3StoreOptions> = {}): Promise<ObjectStore> =>
    openS3Store({
      root: `s3://${BUCKET}/${randomUUID()}/w`,
      endpoint: server.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
      cacheFolder: join(folder.path, randomUUID()),
      timeoutMs: 5_000,
      ...options,
    });

  objectStoreContract(kind, async () => ({ store: await open(), close: async () => {} }));
  objectStoreContract(`${kind}, SHA-256`, async () => ({
    store: await open({ checksum: "SHA256" }),
    close: async () => {},
  }));

  it("takes s3a:// for s3://, and a whole bucket as its root", async () => {
    const store = await open({ root: `s3a://${BUCKET}` });
    const name = randomUUID();
    expect(store.root).toBe(`s3://${BUCKET}`);
    await store.put(`s3a://${BUCKET}/${name}/x`, bytesOf("x"));
    expect(textOf(await store.get(`s3://${BUCKET}/${name}/x`))).toBe("x");
    const found: string[] = [];
    for await (const { location } of store.list(`s3n://${BUCKET}/${name}/`)) found.push(location);
    expect(found).toEqual([`s3://${BUCKET}/${name}/x`]);
    await expect(store.get("file:///etc/passwd")).rejects.toMatchObject({ kind: "invalid" });
  });

  it("uploads a large file in parts, and has it at hand afterwards", async () => {
    const store = await open();
    const bytes = randomBytes(37 * 1024 * 1024 + 5);
    const path = join(folder.path, "large");
    await writeFile(path, bytes);
    const location = `${store.root}/large`;
    expect(await store.adopt(path, location)).toEqual({ location, sizeBytes: bytes.length });
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    expect(bytes.equals(await readFile(await store.localPath(location, bytes.length)))).toBe(true);
    expect(bytes.equals(await store.get(location))).toBe(true);
  });

  it("lists more than a page", async () => {
    const store = await open();
    await Promise.all(Array.from({ length: 1_005 }, (_, n) => store.put(`${store.root}/many/${n}`, bytesOf("x"))));
    let found = 0;
    for await (const object of store.list(`${store.root}/many`)) found += object.sizeBytes;
    expect(found).toBe(1_005);
  });

  it("says corrupt when an object has another size than its manifest says", async () => {
    const store = await open();
    await store.put(`${store.root}/f`, bytesOf("12345"));
    await expect(store.localPath(`${store.root}/f`, 6)).rejects.toMatchObject({ kind: "corrupt" });
    expect(await readFile(await store.localPath(`${store.root}/f`, 5), "utf8")).toBe("12345");
  });

  it("says unauthorized for wrong keys, and invalid for a bucket that is not there", async () => {
    const wrong = { accessKeyId: server.accessKey, secretAccessKey: "wrong" };
    const locked = await open({ credentials: wrong });
    await expect(locked.put(`${locked.root}/x`, bytesOf("x"))).rejects.toMatchObject({ kind: "unauthorized" });
    await expect(locked.get(`${locked.root}/x`)).rejects.toMatchObject({ kind: "unauthorized" });
    const unknown = await open({ credentials: { accessKeyId: "nobody", secretAccessKey: "wrong" } });
    await expect(unknown.get(`${unknown.root}/x`)).rejects.toMatchObject({ kind: "unauthorized" });
    const nowhere = await open({ root: "s3://no-such-bucket/w" });
    await expect(nowhere.put(`${nowhere.root}/x`, bytesOf("x"))).rejects.toMatchObject({ kind: "invalid" });
  });

  it("takes the credentials that were vended for a location", async () => {
    const asked: string[] = [];
    const store = await open({
      credentials: { accessKeyId: "nobody", secretAccessKey: "wrong" },
      vended: {
        credentialsFor: async (location) => {
          asked.push(location);
          const credentials = { accessKeyId: server.accessKey, secretAccessKey: server.secretKey };
          return location.endsWith("/open") ? { credentials } : undefined;
        },
      },
    });
    await store.put(`${store.root}/open`, bytesOf("x"));
    expect(textOf(await store.get(`${store.root}/open`))).toBe("x");
    await expect(store.get(`${store.root}/closed`)).rejects.toMatchObject({ kind: "unauthorized" });
    expect(asked).toContain(`${store.root}/open`);
  });

  describe("with a network that fails", () => {
    let proxy: FaultProxy;
    let store: ObjectStore;
    let at: string;
    beforeEach(async () => {
      proxy = await startFaultProxy(server.endpoint);
      store = await open({ endpoint: proxy.url, timeoutMs: 1_000 });
      at = `${store.root}/object`;
      await store.put(at, bytesOf("0123456789".repeat(1_000)));
    });
    afterEach(() => proxy.close());
    const slowDown = "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";

    it.each([
      ["503", { kind: "status", status: 503, body: slowDown, times: 2 }],
      ["500 without a body", { kind: "status", status: 500, times: 2 }],
      ["a reset", { kind: "reset", times: 2 }],
      ["an answer that does not come in time", { kind: "late", delayMs: 1_500 }],
    ] as const)("asks again after %s", async (_, fault) => {
      proxy.fail(fault);
      expect((await store.get(at)).length).toBe(10_000);
      proxy.fail(fault);
      await store.put(`${at}-2`, bytesOf("x"));
      proxy.fail(fault);
      expect((await store.stat(`${at}-2`))?.sizeBytes).toBe(1);
      expect(proxy.faultsLeft).toBe(0);
    });

    it.each([["cut_answer"], ["damaged_answer"]] as const)("reads a body again after a %s", async (kind) => {
      proxy.fail({ kind, method: "GET", times: 2 });
      expect(textOf(await store.get(at))).toBe("0123456789".repeat(1_000));
      proxy.fail({ kind, method: "GET" });
      expect(await readFile(await store.localPath(at, 10_000), "utf8")).toBe("0123456789".repeat(1_000));
      expect(proxy.faultsLeft).toBe(0);
    });

    it("stores nothing that was damaged on its way, and sends it again", async () => {
      proxy.fail({ kind: "damaged_request", method: "PUT", times: 2 });
      const path = join(folder.path, "sent");
      await writeFile(path, "abcdefgh".repeat(500));
      await store.adopt(path, `${at}-sent`);
      expect(textOf(await store.get(`${at}-sent`))).toBe("abcdefgh".repeat(500));
      expect(proxy.faultsLeft).toBe(0);
    });

    it("knows its own object when the answer to a conditional write was lost", async () => {
      proxy.fail({ kind: "lost_answer", method: "PUT" });
      await store.put(`${at}-new`, bytesOf("ours"), { ifAbsent: true });
      expect(textOf(await store.get(`${at}-new`))).toBe("ours");
      const other = store.put(`${at}-new`, bytesOf("theirs"), { ifAbsent: true });
      await expect(other).rejects.toMatchObject({ kind: "already_exists" });
      expect(proxy.faultsLeft).toBe(0);
    });

    it("gives up as unavailable, and leaves no half of a file behind", async () => {
      proxy.fail({ kind: "cut_answer", method: "GET", times: 100 });
      await expect(store.localPath(at, 10_000)).rejects.toMatchObject({ kind: "unavailable", retryable: true });
      await proxy.close();
      proxy = await startFaultProxy(server.endpoint);
      const away = await open({ endpoint: "http://127.0.0.1:9", timeoutMs: 500, attemptsMax: 2 });
      await expect(away.get(`${away.root}/x`)).rejects.toMatchObject({ kind: "unavailable" });
      await expect(away.stat(`${away.root}/x`)).rejects.toMatchObject({ kind: "unavailable" });
    });
  });

  it("keeps what it acknowledged when the server is killed, and goes on when it is back", async () => {
    const store = await open({ attemptsMax: 8 });
    const names = Array.from({ length: 60 }, (_, n) => `${store.root}/kept/${n}`);
    const writing = Promise.all(names.map((name) => store.put(name, bytesOf(name))));
    await server.kill();
    await server.restart();
    await writing;
    for (const name of names) expect(textOf(await store.get(name))).toBe(name);
  });
});
