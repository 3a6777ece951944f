import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pauseProcess, startNatsServer, tempFolder, waitFor, type NatsServer, type TempFolder } from "@firn/testing";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { connectStreams } from "../src/connect-streams.ts";
import type { StreamConnection } from "../src/connection.ts";
import { bytesOf, follow, textOf } from "../src/contract/broker.ts";
import { appendFenced } from "../src/fenced-append.ts";
import type { Log } from "../src/log.ts";
import { isStreamError } from "../src/stream-error.ts";

const LIMIT_MS = 30_000;

let folder: TempFolder;
let server: NatsServer;
let streams: StreamConnection;
let stop: AbortController;
let tests = 0;

beforeAll(async () => {
  folder = await tempFolder("stream-outage");
  server = await startNatsServer({ dir: folder.path });
  streams = await connectStreams({
    url: server.url,
    name: "outage",
    reconnectDelayMaxMs: 100,
    requestTimeoutMs: 1_000,
    heartbeatMs: 200,
  });
});
afterAll(async () => {
  await streams?.close();
  await server?.stop();
  await folder?.remove();
});
beforeEach(() => {
  stop = new AbortController();
  tests += 1;
});
afterEach(() => stop.abort());

function openLog(by = streams): Promise<Log> {
  return by.openLog({ stream: `O${tests}`, subjects: [`o${tests}.>`] });
}

/** Appends runs of three records, each run exactly once, until it is told to stop; returns the texts in order. */
async function writeRuns(log: Log, subject: string, done: () => boolean, signal: AbortSignal): Promise<string[]> {
  const texts: string[] = [];
  let expectedLastSequence = 0;
  for (let run = 0; !done(); run++) {
    const records = [0, 1, 2].map((i) => ({ subject, data: bytesOf(`${run}.${i}`) }));
    const append = { records, subject, expectedLastSequence, runId: randomUUID() };
    const stored = await appendFenced(log, append, { signal, backOff: { delayMinMs: 5, delayMaxMs: 100 } });
    expectedLastSequence = stored.lastSequence;
    texts.push(...records.map(({ data }) => textOf(data)));
  }
  return texts;
}

test(
  "a fenced writer and readers lose nothing and double nothing over kills of the server",
  { timeout: 60_000 },
  async () => {
    const log = await openLog();
    const subject = `o${tests}.a`;
    const { signal } = stop;
    const options = { subjects: [`o${tests}.*`], afterSequence: 0, signal };
    const whole = follow(log, options);
    const slow = follow(log, { ...options, prefetchBytesMax: 64 * 1024 });
    let kills = 0;
    const writing = writeRuns(log, subject, () => kills === 6, signal);
    for (; kills < 6; kills++) {
      const seen = whole.records.length;
      await waitFor(() => whole.records.length > seen + 20, { limitMs: LIMIT_MS, what: "records after a restart" });
      await server.kill();
      await server.restart();
    }
    const texts = await writing;
    const last = await log.last(subject);
    expect(last?.sequence).toBe(texts.length);
    for (const { records } of [whole, slow]) {
      await waitFor(() => records.length >= texts.length, { limitMs: LIMIT_MS, what: "all records" });
      expect(records.map(({ data }) => textOf(data))).toEqual(texts);
      expect(records.map(({ sequence }) => sequence)).toEqual(texts.map((_, i) => i + 1));
    }
  },
);

test("an append that the server stores after the answer was given up is found, not repeated", async () => {
  const log = await openLog();
  const subject = `o${tests}.a`;
  const append = { records: [{ subject, data: bytesOf("once") }], subject, expectedLastSequence: 0, runId: "r1" };
  const outcomes: string[] = [];
  const goOn = await pauseProcess(server.pid);
  try {
    const stored = await appendFenced(log, append, {
      signal: stop.signal,
      backOff: { delayMinMs: 1, delayMaxMs: 10 },
      onRetry(error) {
        outcomes.push(error.kind);
        goOn();
      },
    });
    expect(stored).toEqual({ lastSequence: 1 });
  } finally {
    goOn();
  }
  expect(outcomes[0]).toBe("unknown_outcome");
  expect((await log.bounds()).lastSequence).toBe(1);
});

test("an append in flight when the server dies fails at once with an unknown outcome", async () => {
  const patient = await connectStreams({ url: server.url, name: "patient", requestTimeoutMs: LIMIT_MS * 10 });
  try {
    const log = await openLog(patient);
    await pauseProcess(server.pid);
    const pending = log.append([{ subject: `o${tests}.a`, data: bytesOf("x") }]).catch((error: unknown) => error);
    await server.kill();
    expect(isStreamError(await pending, "unknown_outcome")).toBe(true); // the test ends long before its timeout
    await server.restart();
    await waitFor(() => streams.isConnected() && patient.isConnected(), { limitMs: LIMIT_MS });
    expect((await log.bounds()).lastSequence).toBe(0);
  } finally {
    await patient.close();
  }
});

test("a reader goes on when its consumer is deleted, and when the server stops answering for a while", async () => {
  const log = await openLog();
  const subject = `o${tests}.a`;
  const { records } = follow(log, { subjects: [subject], afterSequence: 0, signal: stop.signal });
  const nc = await connect({ servers: server.url });
  const jsm = await jetstreamManager(nc);
  for (let i = 1; i <= 5; i++) {
    await log.append([{ subject, data: bytesOf(`${i}`) }]);
    await waitFor(() => records.length === i, { limitMs: LIMIT_MS });
    for await (const { name } of jsm.consumers.list(log.stream)) await jsm.consumers.delete(log.stream, name);
  }
  const goOn = await pauseProcess(server.pid);
  const appending = log.append([{ subject, data: bytesOf("6") }]);
  goOn();
  await appending;
  await waitFor(() => records.length === 6, { limitMs: LIMIT_MS });
  expect(records.map(({ data }) => textOf(data))).toEqual(["1", "2", "3", "4", "5", "6"]);
  await nc.close();
});

test("a reader of a long backlog of large records is never dropped as a slow consumer", async () => {
  // Ten megabytes at a time may take a busy disk longer than the others wait.
  const patient = await connectStreams({ url: server.url, name: "patient", requestTimeoutMs: LIMIT_MS * 10 });
  const log = await openLog(patient);
  const subject = `o${tests}.a`;
  const data = new Uint8Array(500_000);
  const count = 120;
  for (let i = 0; i < count; i += 20) await log.append(Array.from({ length: 20 }, () => ({ subject, data })));
  let taken = 0;
  for await (const record of log.read({ subjects: [subject], afterSequence: 0, signal: stop.signal })) {
    taken += 1;
    expect(record.sequence).toBe(taken);
    if (taken % 30 === 0) await log.bounds();
    if (taken === count) break;
  }
  const varz = (await (await fetch(`${server.monitorUrl}/varz`)).json()) as { slow_consumers: number };
  expect(varz.slow_consumers).toBe(0);
  await patient.close();
});

test("readers leave no consumer behind", async () => {
  const log = await openLog();
  const subject = `o${tests}.a`;
  await log.append([{ subject, data: bytesOf("1") }]);
  const readers = [1, 2, 3].map(() => follow(log, { subjects: [subject], afterSequence: 0, signal: stop.signal }));
  await waitFor(() => readers.every(({ records }) => records.length === 1), { limitMs: LIMIT_MS });
  await log.pending([subject], 0);
  stop.abort();
  await Promise.all(readers.map(({ ended }) => ended));
  const nc = await connect({ servers: server.url });
  const jsm = await jetstreamManager(nc);
  const left = async () => (await jsm.streams.info(log.stream)).state.consumer_count === 0;
  await waitFor(left, { limitMs: LIMIT_MS, what: "removal of the consumers" });
  await nc.close();
});

test("a broker that comes back without its files gets streams and buckets again, and readers see that they are others", async () => {
  const own = await tempFolder("stream-lost");
  const broker = await startNatsServer({ dir: own.path });
  const connection = await connectStreams({ url: broker.url, name: "lost", reconnectDelayMaxMs: 100 });
  try {
    const log = await connection.openLog({ stream: "LOST", subjects: ["lost.>"], metadata: { made: "once" } });
    const store = await connection.attempts("lost");
    await log.append([{ subject: "lost.a", data: bytesOf("1") }]);
    await store.put("key", 1);
    const before = await log.identity();
    const reader = follow(log, { subjects: ["lost.a"], afterSequence: 0, signal: stop.signal });
    await waitFor(() => reader.records.length === 1, { limitMs: LIMIT_MS, what: "the first record" });

    await broker.kill();
    await rm(join(own.path, "jetstream"), { recursive: true });
    await broker.restart();
    const identity = await waitFor(() => log.identity(), { limitMs: LIMIT_MS, what: "the stream to be there again" });
    expect(identity).not.toBe(before);
    expect(await reader.ended).toMatchObject({ kind: "gone" });
    await log.append([{ subject: "lost.a", data: bytesOf("2"), expectedLastSequence: 0 }]);
    const again = await waitFor(async () => (await store.put("key", 2), true), { limitMs: LIMIT_MS });
    expect([again, await store.get("key")]).toEqual([true, 2]);
  } finally {
    await connection.close();
    await broker.stop();
    await own.remove();
  }
});
