import { createServer, type Server } from "node:net";
import { freePort, startNatsServer, tempFolder, type NatsServer, type TempFolder } from "@firn/testing";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectStreams, isAtLeast } from "../src/connect-streams.ts";

let folder: TempFolder;
let server: NatsServer;

beforeAll(async () => {
  folder = await tempFolder("stream-connect");
  server = await startNatsServer({ dir: folder.path, syncAlways: false });
});
afterAll(async () => {
  await server?.stop();
  await folder?.remove();
});

test("compares versions by number", () => {
  expect(isAtLeast("2.15.0", "2.15.0")).toBe(true);
  expect(isAtLeast("v2.15.10", "2.15.9")).toBe(true);
  expect(isAtLeast("3.0.0-RC.1", "2.15.0")).toBe(true);
  expect(isAtLeast("2.14.99", "2.15.0")).toBe(false);
  expect(isAtLeast("2.9.10", "2.15.0")).toBe(false);
  expect(isAtLeast("dev", "2.15.0")).toBe(false);
});

test("refuses a server that is too old, and one without JetStream, and says why", async () => {
  const cases = [
    { info: { version: "2.9.10", jetstream: true }, message: /nats-server 2\.9\.10 .* is too old: .* 2\.15\.0/ },
    { info: { version: "2.15.1" }, message: /runs without JetStream/ },
  ];
  for (const { info, message } of cases) {
    const fake = await fakeServer(info);
    const connecting = connectStreams({ url: fake.url, name: "test" });
    await expect(connecting).rejects.toMatchObject({ kind: "invalid", message: expect.stringMatching(message) });
    fake.server.close();
  }
});

test("tries to connect up to its limit, and names the address without its password", async () => {
  const url = `nats://user:secret@127.0.0.1:${await freePort()}`;
  const error = await connectStreams({ url, name: "test", connectLimitMs: 200 }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ kind: "unavailable", retryable: true });
  expect(String(error)).not.toContain("secret");
  await expect(connectStreams({ url: "http://127.0.0.1:1", name: "test" })).rejects.toMatchObject({ kind: "invalid" });
});

test("makes streams that refuse when full, forget nothing and take atomic appends, and mends those that differ", async () => {
  const streams = await connectStreams({ url: server.url, name: "test" });
  const nc = await connect({ servers: server.url });
  const jsm = await jetstreamManager(nc);
  const wanted = {
    storage: "file",
    retention: "limits",
    discard: "new",
    max_age: 0,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    allow_atomic: true,
    allow_direct: true,
    num_replicas: 1,
  };
  await streams.openLog({ stream: "FRESH", subjects: ["fresh.>"] });
  expect((await jsm.streams.info("FRESH")).config).toMatchObject(wanted);

  await jsm.streams.add({
    name: "OTHER",
    subjects: ["other.>"],
    max_age: 60_000_000_000,
    discard: "old",
    max_msgs: 10,
  });
  const log = await streams.openLog({ stream: "OTHER", subjects: ["other.>"], metadata: { "firn.shards": "4" } });
  expect((await jsm.streams.info("OTHER")).config).toMatchObject(wanted);
  expect(log.metadata).toEqual({ "firn.shards": "4" });

  await jsm.streams.add({ name: "QUEUE", subjects: ["queue.>"], retention: "workqueue" });
  await jsm.streams.add({ name: "FLEETING", subjects: ["fleeting.>"], storage: "memory" });
  for (const [stream, subject] of [
    ["QUEUE", "queue.>"],
    ["FLEETING", "fleeting.>"],
  ] as const) {
    await expect(streams.openLog({ stream, subjects: [subject] })).rejects.toMatchObject({ kind: "invalid" });
  }
  await expect(streams.openLog({ stream: "CLASH", subjects: ["fresh.a"] })).rejects.toMatchObject({ kind: "invalid" });
  await nc.close();
  await streams.close();
});

test("a lowered byte limit removes nothing", async () => {
  const streams = await connectStreams({ url: server.url, name: "test" });
  const spec = { stream: "SHRUNK", subjects: ["shrunk.>"] };
  const log = await streams.openLog(spec);
  const record = { subject: "shrunk.a", data: new Uint8Array(1_000) };
  await log.append(Array.from({ length: 10 }, () => record));
  const smaller = await streams.openLog({ ...spec, bytesMax: 2_000 });
  expect(await smaller.bounds()).toMatchObject({ firstSequence: 1, lastSequence: 10, bytesMax: 2_000 });
  await expect(smaller.append([record])).rejects.toMatchObject({ kind: "full" });
  await streams.close();
});

test("readers end quietly when their own connection is closed", async () => {
  const streams = await connectStreams({ url: server.url, name: "test" });
  const log = await streams.openLog({ stream: "CLOSED", subjects: ["closed.>"] });
  const reading = (async () => {
    for await (const record of log.read({
      subjects: ["closed.>"],
      afterSequence: 0,
      signal: new AbortController().signal,
    })) {
      expect(record).toBeUndefined();
    }
  })();
  await streams.close();
  await reading;
  expect(await streams.closed).toBeUndefined();
  expect(streams.isConnected()).toBe(false);
  await expect(log.bounds()).rejects.toMatchObject({ kind: "unavailable" });
});

/** Speaks just enough of the protocol to be connected to. */
async function fakeServer(info: Record<string, unknown>): Promise<{ url: string; server: Server }> {
  const port = await freePort();
  const fake = createServer((socket) => {
    const full = { server_id: "fake", port, max_payload: 1_048_576, headers: true, proto: 1, ...info };
    socket.write(`INFO ${JSON.stringify(full)}\r\n`);
    socket.on("data", (data) => data.includes("PING") && socket.write("PONG\r\n"));
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => fake.listen(port, "127.0.0.1", resolve));
  return { url: `nats://127.0.0.1:${port}`, server: fake };
}
